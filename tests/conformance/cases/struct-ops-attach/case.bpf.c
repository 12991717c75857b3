// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Congestion controls that do next to nothing, and that no socket uses.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct sock;

// The members that are used; libbpf finds them in the kernel's struct by their names.
struct tcp_congestion_ops {
	__u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, __u32 ack, __u32 acked);
	__u32 (*undo_cwnd)(struct sock *sk);
	char name[16];
};

SEC("struct_ops/ssthresh")
__u32 ssthresh(void *ctx)
{
	return 2;
}

SEC("struct_ops/cong_avoid")
void cong_avoid(void *ctx)
{
}

SEC("struct_ops/undo_cwnd")
__u32 undo_cwnd(void *ctx)
{
	return 2;
}

SEC(".struct_ops")
struct tcp_congestion_ops without_link = {
	.ssthresh = (void *)ssthresh,
	.cong_avoid = (void *)cong_avoid,
	.undo_cwnd = (void *)undo_cwnd,
	.name = "wbc_plain",
};

char LICENSE[] SEC("license") = "GPL";
