// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Programs that write down in which order they see a packet, a decimal digit each.
#include "packets.h"

__u64 order;
__u64 out;
/* What the first program returns. */
__s32 answer = NEXT;

static __always_inline void note(struct __sk_buff *skb, int digit)
{
	if (skb_is_from_runner(skb))
		order = order * 10 + digit;
}

SEC("tc")
int one(struct __sk_buff *skb)
{
	note(skb, 1);
	return answer;
}

SEC("tcx/ingress")
int two(struct __sk_buff *skb)
{
	note(skb, 2);
	return NEXT;
}

SEC("tc")
int three(struct __sk_buff *skb)
{
	note(skb, 3);
	return NEXT;
}

SEC("tcx/egress")
int leaving(struct __sk_buff *skb)
{
	if (skb_is_from_runner(skb))
		COUNT(out);
	return NEXT;
}

SEC("?xdp")
int is_xdp(struct xdp_md *ctx)
{
	return XDP_PASS;
}
