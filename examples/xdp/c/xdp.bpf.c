// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Drops the packets that come from the addresses of a list, and counts what comes in.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "xdp.h"

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024);
	__type(key, struct network);
	__type(value, __u64);
} blocked SEC(".maps");

// By verdict, on each CPU.
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, VERDICTS);
	__type(key, __u32);
	__type(value, struct count);
} counts SEC(".maps");

SEC("xdp")
int on_packet(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u32 verdict = VERDICT_PASSED;
	struct ethhdr *ethernet = data;
	struct count *count;

	if ((void *)(ethernet + 1) <= end && ethernet->h_proto == bpf_htons(ETH_P_IP)) {
		struct iphdr *ip = (void *)(ethernet + 1);

		if ((void *)(ip + 1) <= end) {
			struct network network = { .bits = 32, .address = ip->saddr };
			__u64 *packets = bpf_map_lookup_elem(&blocked, &network);

			if (packets) {
				__sync_fetch_and_add(packets, 1);
				verdict = VERDICT_DROPPED;
			}
		}
	}
	count = bpf_map_lookup_elem(&counts, &verdict);
	if (count) {
		count->packets += 1;
		count->bytes += end - data;
	}
	return verdict == VERDICT_DROPPED ? XDP_DROP : XDP_PASS;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
