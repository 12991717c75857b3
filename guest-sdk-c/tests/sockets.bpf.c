// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// What sockets.c and socket_grants.c attach to sockets.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

// Packets that the filter saw; how many bytes of each it lets the socket have; on how many interfaces.
unsigned long long seen = 0;
unsigned int keep = 0;
unsigned long long interfaces = 0;

// Which of the sockets that share a port is to have what comes; how often that was asked.
unsigned int choice = 0;
unsigned int choices = 0;

struct {
	__uint(type, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} group SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} connections SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, __u64);
} notes SEC(".maps");

SEC("socket")
int on_packet(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&seen, 1);
	if (skb->ifindex < 64)
		interfaces |= 1ull << skb->ifindex;
	return keep;
}

SEC("socket")
int choose_by_number(struct __sk_buff *skb)
{
	choices++;
	return choice;
}

SEC("sk_reuseport")
int choose_from_map(struct sk_reuseport_md *md)
{
	__u32 index = choice;

	choices++;
	bpf_sk_select_reuseport(md, &group, &index, 0);
	return SK_PASS;
}

SEC("xdp")
int other(struct xdp_md *context)
{
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
