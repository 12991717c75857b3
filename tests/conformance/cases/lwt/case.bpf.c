// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Programs on routes.
#include "packets.h"

__u64 runs;

SEC("lwt_in")
int on_in(struct __sk_buff *skb)
{
	COUNT(runs);
	return BPF_OK;
}

SEC("lwt_out")
int on_out(struct __sk_buff *skb)
{
	COUNT(runs);
	return BPF_OK;
}

SEC("lwt_xmit")
int on_xmit(struct __sk_buff *skb)
{
	COUNT(runs);
	return BPF_DROP;
}

SEC("lwt_seg6local")
int on_seg6local(struct __sk_buff *skb)
{
	COUNT(runs);
	return BPF_OK;
}
