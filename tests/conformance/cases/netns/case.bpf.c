// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Programs on network namespaces.
#include "packets.h"

__u64 looked_up;
__u64 dissected;

SEC("?sk_lookup")
int on_lookup(struct bpf_sk_lookup *ctx)
{
	if (ctx->local_port == PORT)
		COUNT(looked_up);
	return SK_PASS;
}

SEC("?flow_dissector")
int on_flow(struct __sk_buff *skb)
{
	COUNT(dissected);
	return BPF_OK;
}

SEC("?tc")
int is_tc(struct __sk_buff *skb)
{
	return PASS;
}
