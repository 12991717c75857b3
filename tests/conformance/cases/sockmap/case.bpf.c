// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Programs on maps of sockets.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u64 parsed = 0;
__u64 judged = 0;
__u64 sent = 0;

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} socks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SOCKHASH);
	__uint(max_entries, 4);
	__type(key, __u64);
	__type(value, __u32);
} by_number SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} array SEC(".maps");

SEC("sk_skb/stream_parser")
int parse(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&parsed, 1);
	return skb->len;
}

// What comes to socket 0 goes out of socket 1.
SEC("sk_skb/stream_verdict")
int forward(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&judged, 1);
	return bpf_sk_redirect_map(skb, &socks, 1, 0);
}

// The same kind without a place.
SEC("sk_skb")
int anywhere(struct __sk_buff *skb)
{
	__sync_fetch_and_add(&judged, 1);
	return SK_PASS;
}

SEC("sk_msg")
int count_messages(struct sk_msg_md *msg)
{
	__sync_fetch_and_add(&sent, 1);
	return SK_PASS;
}

SEC("sk_msg")
int drop_messages(struct sk_msg_md *msg)
{
	return SK_DROP;
}

SEC("raw_tp/sys_enter")
int of_another_kind(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
