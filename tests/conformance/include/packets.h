/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#ifndef PACKETS_H
#define PACKETS_H

/* The packets that the runner sends, among others that interfaces send by themselves. */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define PORT 7777

/* Returns of classifiers and tcx programs: go on to the next one, let it through, drop it. */
#define NEXT -1
#define PASS 0
#define DROP 2

static __always_inline int is_from_runner(void *data, void *end)
{
	struct ethhdr *eth = data;
	struct iphdr *ip = (void *)(eth + 1);
	struct udphdr *udp = (void *)(ip + 1);

	return (void *)(udp + 1) <= end && eth->h_proto == bpf_htons(ETH_P_IP) &&
	       ip->protocol == IPPROTO_UDP && udp->dest == bpf_htons(PORT);
}

static __always_inline int skb_is_from_runner(struct __sk_buff *skb)
{
	/* Headers may lie elsewhere. */
	bpf_skb_pull_data(skb, sizeof(struct ethhdr) + sizeof(struct iphdr) + sizeof(struct udphdr));
	return is_from_runner((void *)(long)skb->data, (void *)(long)skb->data_end);
}

#define COUNT(counter) __sync_fetch_and_add(&(counter), 1)

char LICENSE[] SEC("license") = "GPL";

#endif
