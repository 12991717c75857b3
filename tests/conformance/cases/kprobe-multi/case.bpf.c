// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// One program at many kernel functions, of which only the runner's thread counts.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

const volatile __u32 trigger_thread = 0;

__u64 calls;
__u64 cookie;

static __always_inline void count_call(void *ctx)
{
	if ((__u32)bpf_get_current_pid_tgid() != trigger_thread)
		return;
	calls++;
	cookie = bpf_get_attach_cookie(ctx);
}

SEC("?kprobe.multi")
int on_many(void *ctx)
{
	count_call(ctx);
	return 0;
}

SEC("?kprobe.session")
int on_both_ends(void *ctx)
{
	count_call(ctx);
	return 0;
}

SEC("?kprobe")
int on_one(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
