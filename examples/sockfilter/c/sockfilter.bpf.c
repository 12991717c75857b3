// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Reports the IP packets that a packet socket sees.
#include <stddef.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <wasm_bpf/ringbuf.bpf.h>

#include "sockfilter.h"

#define FRAGMENT_OFFSET 0x1fff

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

WASM_BPF_LOST_COUNTER(lost);

SEC("socket")
int on_packet(struct __sk_buff *skb)
{
	__u32 ports_at = 0, header = ETH_HLEN;
	struct event *event;
	__u8 version_and_length = 0;
	__u16 kind, fragment = 0;

	kind = skb->protocol;
	if (kind != bpf_htons(ETH_P_IP) && kind != bpf_htons(ETH_P_IPV6))
		return 0;
	event = wasm_bpf_ringbuf_reserve(&events, sizeof(*event), &lost);
	if (!event)
		return 0;
	__builtin_memset(event, 0, sizeof(*event));
	event->length = skb->len;
	event->interface_index = skb->ifindex;
	event->packet_type = skb->pkt_type;
	if (kind == bpf_htons(ETH_P_IP)) {
		bpf_skb_load_bytes(skb, header, &version_and_length, 1);
		bpf_skb_load_bytes(skb, header + offsetof(struct iphdr, frag_off), &fragment, sizeof(fragment));
		bpf_skb_load_bytes(skb, header + offsetof(struct iphdr, protocol), &event->protocol, 1);
		bpf_skb_load_bytes(skb, header + offsetof(struct iphdr, saddr), event->source, 4);
		bpf_skb_load_bytes(skb, header + offsetof(struct iphdr, daddr), event->destination, 4);
		if (!(bpf_ntohs(fragment) & FRAGMENT_OFFSET))
			ports_at = header + (version_and_length & 0xf) * 4;
	} else {
		event->is_ipv6 = 1;
		bpf_skb_load_bytes(skb, header + offsetof(struct ipv6hdr, nexthdr), &event->protocol, 1);
		bpf_skb_load_bytes(skb, header + offsetof(struct ipv6hdr, saddr), event->source, 16);
		bpf_skb_load_bytes(skb, header + offsetof(struct ipv6hdr, daddr), event->destination, 16);
		ports_at = header + sizeof(struct ipv6hdr);
	}
	if (ports_at && (event->protocol == IPPROTO_TCP || event->protocol == IPPROTO_UDP)) {
		bpf_skb_load_bytes(skb, ports_at, &event->source_port, 2);
		bpf_skb_load_bytes(skb, ports_at + 2, &event->destination_port, 2);
	}
	bpf_ringbuf_submit(event, 0);
	// Nothing is to be received: what was seen is in the ring buffer.
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
