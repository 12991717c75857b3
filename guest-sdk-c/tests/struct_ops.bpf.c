// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Congestion controls that do next to nothing, and that no socket uses.
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

struct sock;

// The members that are used; libbpf finds them in the kernel's struct by their names.
struct tcp_congestion_ops {
	__u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, __u32 ack, __u32 acked);
	__u32 (*undo_cwnd)(struct sock *sk);
	char name[16];
};

SEC("struct_ops")
__u32 threshold(void *ctx)
{
	(void)ctx;
	return 2;
}

SEC("struct_ops")
void avoid(void *ctx)
{
	(void)ctx;
}

SEC("struct_ops")
__u32 undo(void *ctx)
{
	(void)ctx;
	return 2;
}

SEC(".struct_ops.link")
struct tcp_congestion_ops first = {
	.ssthresh = (void *)threshold,
	.cong_avoid = (void *)avoid,
	.undo_cwnd = (void *)undo,
	.name = "wb_test_first",
};

SEC(".struct_ops.link")
struct tcp_congestion_ops other = {
	.ssthresh = (void *)threshold,
	.cong_avoid = (void *)avoid,
	.undo_cwnd = (void *)undo,
	.name = "wb_test_other",
};

char _license[] SEC("license") = "GPL";
