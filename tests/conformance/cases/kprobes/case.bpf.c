// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Probes of kernel functions, of which only the runner's thread counts: the system call that it makes and a function that this calls.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

const volatile __u32 trigger_thread = 0;

__u64 calls;
__u64 cookie;

static __always_inline int is_of_trigger(void)
{
	return (__u32)bpf_get_current_pid_tgid() == trigger_thread;
}

SEC("kprobe")
int count(void *ctx)
{
	if (is_of_trigger())
		calls++;
	return 0;
}

SEC("?kprobe")
int with_cookie(void *ctx)
{
	if (is_of_trigger()) {
		calls++;
		cookie = bpf_get_attach_cookie(ctx);
	}
	return 0;
}

SEC("?kprobe.multi")
int for_many(void *ctx)
{
	return 0;
}

SEC("?raw_tp")
int of_another_kind(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
