// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A program for each kind of link that is described.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("tracepoint")
int at_tracepoint(void *ctx)
{
	return 0;
}

SEC("uprobe")
int at_function(void *ctx)
{
	return 0;
}

SEC("uprobe.multi")
int at_functions(void *ctx)
{
	return 0;
}

SEC("perf_event")
int at_sample(void *ctx)
{
	return 0;
}

SEC("xdp")
int at_packet(void *ctx)
{
	return XDP_PASS;
}

SEC("netfilter")
int at_hook(void *ctx)
{
	return 1;
}

char _license[] SEC("license") = "GPL";
