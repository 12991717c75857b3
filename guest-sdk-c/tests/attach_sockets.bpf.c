// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs of maps of sockets, and of network namespaces.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__type(key, __u32);
	__type(value, __u64);
	__uint(max_entries, 4);
} sockets SEC(".maps");

__u64 by_verdict, by_other, by_lookup, by_message;

SEC("sk_skb/stream_verdict")
int verdict(struct __sk_buff *ctx)
{
	__sync_fetch_and_add(&by_verdict, 1);
	return SK_PASS;
}

SEC("sk_skb/stream_verdict")
int other_verdict(struct __sk_buff *ctx)
{
	__sync_fetch_and_add(&by_other, 1);
	return SK_PASS;
}

SEC("sk_msg")
int message(struct sk_msg_md *ctx)
{
	__sync_fetch_and_add(&by_message, 1);
	return SK_PASS;
}

SEC("sk_lookup")
int lookup(struct bpf_sk_lookup *ctx)
{
	__sync_fetch_and_add(&by_lookup, 1);
	return SK_PASS;
}

SEC("flow_dissector")
int dissector(struct __sk_buff *ctx)
{
	return 0; // BPF_OK
}

SEC("flow_dissector")
int other_dissector(struct __sk_buff *ctx)
{
	return 0;
}

SEC("netfilter")
int filter(void *ctx)
{
	return 1; // NF_ACCEPT
}
