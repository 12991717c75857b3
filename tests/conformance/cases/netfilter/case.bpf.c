// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Programs on hooks of netfilter.
#include "packets.h"

struct sk_buff {
	unsigned int len;
} __attribute__((preserve_access_index));

struct bpf_nf_ctx {
	const void *state;
	struct sk_buff *skb;
} __attribute__((preserve_access_index));

/* Of the runner's packets, which no others here are as long as. */
#define LENGTH (sizeof(struct iphdr) + sizeof(struct udphdr) + 32)

__u64 first;
__u64 second;
/* What the first one returns: NF_ACCEPT. */
__u32 verdict = 1;

SEC("?netfilter")
int on_first(struct bpf_nf_ctx *ctx)
{
	if (ctx->skb->len != LENGTH)
		return 1;
	COUNT(first);
	return verdict ? 1 : 0;
}

SEC("?netfilter")
int on_second(struct bpf_nf_ctx *ctx)
{
	if (ctx->skb->len == LENGTH)
		COUNT(second);
	return 1;
}

SEC("?tc")
int is_tc(struct __sk_buff *skb)
{
	return PASS;
}
