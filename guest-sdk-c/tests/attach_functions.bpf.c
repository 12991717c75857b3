// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs on functions of the kernel by their types, on a security hook, and in the place of a function of another program.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

__u64 entries, exits, opened;
__u64 cookie;
int denied, answer = 100;
__u32 process;

SEC("fentry/vfs_open")
int on_entry(void *ctx)
{
	cookie = bpf_get_attach_cookie(ctx);
	__sync_fetch_and_add(&entries, 1);
	return 0;
}

SEC("fexit/vfs_open")
int on_exit(void *ctx)
{
	__sync_fetch_and_add(&exits, 1);
	return 0;
}

SEC("lsm/file_open")
int BPF_PROG(on_open, void *file, int before)
{
	if (process != bpf_get_current_pid_tgid() >> 32)
		return before;
	__sync_fetch_and_add(&opened, 1);
	return before ? before : denied ? -13 : 0; // -EACCES
}

SEC("freplace/add")
int replaced(int number)
{
	return number + answer;
}
