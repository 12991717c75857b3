// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Programs for what is redirected to a network interface, and one for packets that come in.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("?xdp/devmap")
int on_the_way_out(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("?xdp")
int on_the_way_in(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
