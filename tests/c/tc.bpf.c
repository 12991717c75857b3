// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Drops UDP packets for one port and counts what comes by, by port.
#include <stddef.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

// Set by user space before the program is loaded, and while it runs.
const volatile __u16 first_port = 0;
__u16 dropped_port = 0;

// By port, from first_port on.
__u64 passed[8];
__u64 dropped = 0;

SEC("tc")
int on_packet(struct __sk_buff *skb)
{
	struct udphdr udp;
	struct iphdr ip;
	__u16 port;

	if (skb->protocol != bpf_htons(ETH_P_IP) || bpf_skb_load_bytes(skb, ETH_HLEN, &ip, sizeof(ip)) ||
	    ip.protocol != IPPROTO_UDP || bpf_skb_load_bytes(skb, ETH_HLEN + ip.ihl * 4, &udp, sizeof(udp)))
		return TC_ACT_OK;
	port = bpf_ntohs(udp.dest);
	if (port == dropped_port) {
		__sync_fetch_and_add(&dropped, 1);
		return TC_ACT_SHOT;
	}
	if (port >= first_port && port < first_port + 8)
		__sync_fetch_and_add(&passed[(port - first_port) & 7], 1);
	return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
