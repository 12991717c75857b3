// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs for functions of the kernel that open files.
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

__u64 calls, returns, syscalls, many, sessions, by_section;
__u64 cookie, syscall_cookie, many_cookies;

SEC("kprobe")
int on_call(struct pt_regs *ctx)
{
	cookie = bpf_get_attach_cookie(ctx);
	__sync_fetch_and_add(&calls, 1);
	return 0;
}

SEC("kretprobe")
int on_return(struct pt_regs *ctx)
{
	__sync_fetch_and_add(&returns, 1);
	return 0;
}

SEC("ksyscall")
int on_syscall(struct pt_regs *ctx)
{
	syscall_cookie = bpf_get_attach_cookie(ctx);
	__sync_fetch_and_add(&syscalls, 1);
	return 0;
}

SEC("kprobe.multi")
int on_many(struct pt_regs *ctx)
{
	__sync_fetch_and_or(&many_cookies, bpf_get_attach_cookie(ctx));
	__sync_fetch_and_add(&many, 1);
	return 0;
}

// A session is at the call and at the return: it counts two for each.
SEC("?kprobe.session")
int on_session(struct pt_regs *ctx)
{
	__sync_fetch_and_add(&sessions, 1);
	return 0;
}

SEC("kprobe/vfs_open")
int at_section(struct pt_regs *ctx)
{
	__sync_fetch_and_add(&by_section, 1);
	return 0;
}
