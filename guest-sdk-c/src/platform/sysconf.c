// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// sysconf() about the machine; what it says about libc is wasi-libc's.
#define _GNU_SOURCE
#include <sched.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "errors.h"
#include "wasm_bpf.h"

long libc_sysconf(int name) __asm__("sysconf");

int get_nprocs_conf(void)
{
	wasm_bpf_bpf_types_error_code_t code;
	uint32_t count;

	if (!wasm_bpf_bpf_features_possible_cpus(&count, &code))
		return wb_fail_code(&code), -1;
	return count;
}

int get_nprocs(void)
{
	wasm_bpf_bpf_types_error_code_t code;
	wasm_bpf_list_u32_t cpus;
	int count;

	if (!wasm_bpf_bpf_features_online_cpus(&cpus, &code))
		return wb_fail_code(&code), -1;
	count = cpus.len;
	wasm_bpf_list_u32_free(&cpus);
	return count;
}

int getpagesize(void)
{
	return wasm_bpf_bpf_features_page_size();
}

long sysconf(int name)
{
	switch (name) {
	case _SC_NPROCESSORS_ONLN:
		return get_nprocs();
	case _SC_NPROCESSORS_CONF:
		return get_nprocs_conf();
	case _SC_PAGESIZE:
		return getpagesize();
	case _SC_CLK_TCK:
		// USER_HZ, which is the same on all machines that Linux runs BPF on.
		return 100;
	}
	return libc_sysconf(name);
}

int wb_cpu_count(size_t size, const cpu_set_t *set)
{
	int count = 0;

	for (size_t i = 0; i < size / sizeof(set->__bits[0]); i++)
		count += __builtin_popcountl(set->__bits[i]);
	return count;
}

int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
	wasm_bpf_bpf_types_error_code_t code;
	wasm_bpf_list_u32_t cpus;
	bool fits = true;

	if (pid && pid != getpid()) {
		errno = ESRCH;
		return -1;
	}
	if (!wasm_bpf_bpf_features_online_cpus(&cpus, &code)) {
		wb_fail_code(&code);
		return -1;
	}
	memset(set, 0, size);
	for (size_t i = 0; i < cpus.len; i++) {
		fits &= cpus.ptr[i] / 8 < size;
		CPU_SET_S(cpus.ptr[i], size, set);
	}
	wasm_bpf_list_u32_free(&cpus);
	if (fits)
		return 0;
	errno = EINVAL;
	return -1;
}
