// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Programs that choose among sockets that share a port, by the first byte of a datagram.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u64 chosen = 0;

struct {
	__uint(type, BPF_MAP_TYPE_REUSEPORT_SOCKARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} socks SEC(".maps");

SEC("sk_reuseport")
int choose(struct sk_reuseport_md *ctx)
{
	__u8 *data = ctx->data, *end = ctx->data_end;
	__u32 index;

	// The UDP header comes first.
	if (data + 9 > end)
		return SK_DROP;
	index = data[8];
	__sync_fetch_and_add(&chosen, 1);
	return bpf_sk_select_reuseport(ctx, &socks, &index, 0) ? SK_DROP : SK_PASS;
}

SEC("sk_reuseport")
int drop_all(struct sk_reuseport_md *ctx)
{
	return SK_DROP;
}

// The number of a socket in the order in which they were bound. Here the data comes first.
SEC("socket")
int by_number(struct __sk_buff *skb)
{
	__u8 first = 0;

	bpf_skb_load_bytes(skb, 0, &first, sizeof(first));
	return first;
}

SEC("raw_tp/sys_enter")
int of_another_kind(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
