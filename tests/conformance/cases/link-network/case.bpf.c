// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// A program for each kind of link to the network; each is loaded by the case that needs it.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("?xdp")
int first(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("?xdp")
int second(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("?tcx/ingress")
int on_ingress(struct __sk_buff *ctx)
{
	return 0;
}

SEC("?netkit/primary")
int on_primary(struct __sk_buff *ctx)
{
	return 0;
}

SEC("?sk_lookup")
int on_lookup(struct bpf_sk_lookup *ctx)
{
	return SK_PASS;
}

SEC("?netfilter")
int on_hook(void *ctx)
{
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
