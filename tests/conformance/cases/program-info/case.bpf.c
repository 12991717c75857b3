// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// A program that runs when it is told to.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u64 runs;

SEC("raw_tp/sys_enter")
int run(struct bpf_raw_tracepoint_args *ctx)
{
	runs += 1;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
