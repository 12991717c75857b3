// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Filters of sockets.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u64 seen = 0;

// All of it, but nothing of datagrams that begin with a 0. A filter of a UDP socket sees the UDP header first.
SEC("socket")
int drop_zeros(struct __sk_buff *skb)
{
	__u8 first = 0;

	__sync_fetch_and_add(&seen, 1);
	bpf_skb_load_bytes(skb, 8, &first, sizeof(first));
	return first ? skb->len : 0;
}

// The UDP header and one byte.
SEC("socket")
int cut(struct __sk_buff *skb)
{
	return 9;
}

// Of packets: those of UDP over IPv4, without the link-layer header's help.
SEC("socket")
int only_udp(struct __sk_buff *skb)
{
	__u8 protocol = 0;

	__sync_fetch_and_add(&seen, 1);
	bpf_skb_load_bytes(skb, 14 + 9, &protocol, sizeof(protocol));
	return protocol == 17 ? 14 + 20 + 8 : 0;
}

SEC("raw_tp/sys_enter")
int of_another_kind(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
