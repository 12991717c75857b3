// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Programs on the two ends of a netkit pair.
#include "packets.h"

__u64 primary;
__u64 peer;
__u64 order;

SEC("netkit/primary")
int on_primary(struct __sk_buff *skb)
{
	if (skb_is_from_runner(skb)) {
		COUNT(primary);
		order = order * 10 + 1;
	}
	return NEXT;
}

SEC("tc")
int on_any(struct __sk_buff *skb)
{
	if (skb_is_from_runner(skb))
		order = order * 10 + 2;
	return NEXT;
}

SEC("netkit/peer")
int on_peer(struct __sk_buff *skb)
{
	if (skb_is_from_runner(skb))
		COUNT(peer);
	return NEXT;
}
