// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// A program to pin.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("?raw_tp/sys_enter")
int pinned_program_with_a_long_name(struct bpf_raw_tracepoint_args *ctx)
{
	return ctx->args[0];
}

char LICENSE[] SEC("license") = "GPL";
