// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// What is found: a map, and a program with a name that the kernel cuts.
#include "calls.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} query_values SEC(".maps");

SEC("raw_tp/sys_enter")
int a_name_of_more_than_15_characters(void *ctx)
{
	__u32 key = 1;

	bpf_map_lookup_elem(&query_values, &key);
	return 0;
}

/* Each is loaded by the case that attaches it. */
SEC("?cgroup_skb/egress")
int on_egress(struct __sk_buff *skb)
{
	return 1;
}

SEC("?cgroup_skb/egress")
int on_egress_too(struct __sk_buff *skb)
{
	return 1;
}

SEC("?sk_lookup")
int on_lookup(struct bpf_sk_lookup *ctx)
{
	return SK_PASS;
}

SEC("?tc")
int on_packet(struct __sk_buff *skb)
{
	return -1;
}

SEC("?tc")
int on_packet_too(struct __sk_buff *skb)
{
	return -1;
}

SEC("?xdp")
int on_xdp(struct xdp_md *ctx)
{
	return XDP_PASS;
}
