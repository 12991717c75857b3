// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Classifiers for the classic hook.
#include "packets.h"

__u64 first;
__u64 second;
/* What the first one returns. */
__s32 answer = NEXT;

SEC("tc")
int count_first(struct __sk_buff *skb)
{
	if (!skb_is_from_runner(skb))
		return PASS;
	COUNT(first);
	return answer;
}

SEC("tc")
int count_second(struct __sk_buff *skb)
{
	if (skb_is_from_runner(skb))
		COUNT(second);
	return PASS;
}

SEC("?tc/egress")
int for_egress(struct __sk_buff *skb)
{
	if (skb_is_from_runner(skb))
		COUNT(second);
	return PASS;
}

SEC("?netkit/peer")
int for_netkit(struct __sk_buff *skb)
{
	return PASS;
}

SEC("?action")
int is_action(struct __sk_buff *skb)
{
	return 0;
}

SEC("?xdp")
int is_xdp(struct xdp_md *ctx)
{
	return XDP_PASS;
}
