// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Counts what comes in on a network interface, and lets all of it through.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "xdp_counter.h"

#define MAX_VLAN_TAGS 2

// Not in the headers for programs.
struct vlan_tag {
	__be16 number;
	__be16 ethertype;
};

struct ports {
	__be16 source;
	__be16 destination;
};

// The lower bits say where in the packet a fragment is; only the first one has ports.
#define FRAGMENT_OFFSET 0x1fff

const volatile _Bool count_ports = 0;

// Packets of kinds that found no room.
__u64 not_counted = 0;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct packet_kind);
	__type(value, struct counter);
} counters SEC(".maps");

static __always_inline void note_ports(struct packet_kind *kind, void *data, void *end)
{
	struct ports *ports = data;

	switch (kind->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
	case IPPROTO_UDPLITE:
		if (count_ports && (void *)(ports + 1) <= end)
			kind->port = bpf_ntohs(ports->destination);
	}
}

static __always_inline void classify(struct packet_kind *kind, void *data, void *end)
{
	struct ethhdr *eth = data;
	__be16 ethertype;
	int i;

	if ((void *)(eth + 1) > end)
		return;
	ethertype = eth->h_proto;
	data = eth + 1;
	for (i = 0; i < MAX_VLAN_TAGS; i++) {
		struct vlan_tag *tag = data;

		if (ethertype != bpf_htons(ETH_P_8021Q) && ethertype != bpf_htons(ETH_P_8021AD))
			break;
		if ((void *)(tag + 1) > end)
			break;
		ethertype = tag->ethertype;
		data = tag + 1;
	}
	kind->ethertype = bpf_ntohs(ethertype);
	if (ethertype == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = data;

		if ((void *)(ip + 1) > end)
			return;
		kind->protocol = ip->protocol;
		if (!(ip->frag_off & bpf_htons(FRAGMENT_OFFSET)))
			note_ports(kind, data + ip->ihl * 4, end);
	} else if (ethertype == bpf_htons(ETH_P_IPV6)) {
		struct ipv6hdr *ip = data;

		if ((void *)(ip + 1) > end)
			return;
		kind->protocol = ip->nexthdr;
		note_ports(kind, ip + 1, end);
	}
}

SEC("xdp")
int count_packet(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct packet_kind kind = {};
	struct counter *counter;

	classify(&kind, data, end);
	counter = bpf_map_lookup_elem(&counters, &kind);
	if (!counter) {
		struct counter none = {};

		// Another CPU may be first: that is no failure.
		bpf_map_update_elem(&counters, &kind, &none, BPF_NOEXIST);
		counter = bpf_map_lookup_elem(&counters, &kind);
	}
	if (counter) {
		// Each CPU has its own, and XDP is not interrupted by itself.
		counter->packets += 1;
		counter->bytes += end - data;
	} else {
		__sync_fetch_and_add(&not_counted, 1);
	}
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
