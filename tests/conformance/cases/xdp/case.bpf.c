// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// XDP programs, which count the runner's packets.
#include "packets.h"

__u64 seen;
__u64 dropped;
__u64 behind;

SEC("xdp")
int pass_xdp(struct xdp_md *ctx)
{
	if (is_from_runner((void *)(long)ctx->data, (void *)(long)ctx->data_end))
		COUNT(seen);
	return XDP_PASS;
}

SEC("xdp")
int drop_xdp(struct xdp_md *ctx)
{
	if (!is_from_runner((void *)(long)ctx->data, (void *)(long)ctx->data_end))
		return XDP_PASS;
	COUNT(dropped);
	return XDP_DROP;
}

// What XDP lets through comes here.
SEC("?tc")
int behind_xdp(struct __sk_buff *skb)
{
	if (skb_is_from_runner(skb))
		COUNT(behind);
	return PASS;
}

SEC("?xdp/devmap")
int of_devmap(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("?raw_tracepoint/sys_enter")
int no_xdp(void *ctx)
{
	return 0;
}
