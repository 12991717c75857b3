// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// At each trigger the program copies what libbpf found in the kernel's configuration.
#include <stdbool.h>

#include "trigger.h"

extern int LINUX_KERNEL_VERSION __kconfig;
extern bool CONFIG_BPF __kconfig __weak;
extern bool CONFIG_NO_KERNEL_HAS_THIS __kconfig __weak;
extern unsigned long CONFIG_HZ __kconfig __weak;
extern enum libbpf_tristate CONFIG_BPF_SYSCALL __kconfig __weak;
extern char CONFIG_DEFAULT_HOSTNAME[12] __kconfig __weak;
extern unsigned short CONFIG_LOG_BUF_SHIFT __kconfig __weak;

int version;
bool has_bpf;
bool has_none;
__u64 hz;
__u32 has_syscall;
char hostname[12];
__u16 shift;

SEC("raw_tp/sys_enter")
int copy(struct bpf_raw_tracepoint_args *ctx)
{
	if (!is_trigger(ctx))
		return 0;
	version = LINUX_KERNEL_VERSION;
	has_bpf = CONFIG_BPF;
	has_none = CONFIG_NO_KERNEL_HAS_THIS;
	hz = CONFIG_HZ;
	has_syscall = CONFIG_BPF_SYSCALL;
	for (int i = 0; i < 12; i++)
		hostname[i] = CONFIG_DEFAULT_HOSTNAME[i];
	shift = CONFIG_LOG_BUF_SHIFT;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
