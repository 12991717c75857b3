// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs of network interfaces, which count what they see and let it pass.
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

__u64 by_xdp, by_other_xdp, by_egress, by_first, by_filter;
__u64 order, first_at, egress_at;

SEC("xdp")
int on_xdp(struct xdp_md *ctx)
{
	__sync_fetch_and_add(&by_xdp, 1);
	return XDP_PASS;
}

SEC("xdp")
int on_other_xdp(struct xdp_md *ctx)
{
	__sync_fetch_and_add(&by_other_xdp, 1);
	return XDP_PASS;
}

SEC("tcx/egress")
int on_egress(struct __sk_buff *ctx)
{
	__sync_fetch_and_add(&by_egress, 1);
	egress_at = __sync_fetch_and_add(&order, 1);
	return -1; // TCX_NEXT
}

SEC("tcx/egress")
int on_first(struct __sk_buff *ctx)
{
	__sync_fetch_and_add(&by_first, 1);
	first_at = __sync_fetch_and_add(&order, 1);
	return -1;
}

SEC("tc")
int on_filter(struct __sk_buff *ctx)
{
	__sync_fetch_and_add(&by_filter, 1);
	return TC_ACT_OK;
}

SEC("tc")
int on_other_filter(struct __sk_buff *ctx)
{
	return TC_ACT_OK;
}
