// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// A program for packets that are handed to another CPU, and one for packets that come in.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("?xdp/cpumap")
int on_the_other_cpu(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("?xdp")
int on_the_way_in(struct xdp_md *ctx)
{
	return XDP_PASS;
}

char LICENSE[] SEC("license") = "GPL";
