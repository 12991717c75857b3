// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// A program that calls another through an array, which the object fills.
#include "trigger.h"

int target(struct bpf_raw_tracepoint_args *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__array(values, int(struct bpf_raw_tracepoint_args *ctx));
} targets SEC(".maps") = {
	.values = { [3] = &target },
};

__u64 jumped;
__u64 fell_through;

SEC("raw_tp/sys_enter")
int jump(struct bpf_raw_tracepoint_args *ctx)
{
	if (!is_trigger(ctx))
		return 0;
	bpf_tail_call(ctx, &targets, 3);
	fell_through += 1;
	return 0;
}

SEC("raw_tp")
int target(struct bpf_raw_tracepoint_args *ctx)
{
	jumped += 1;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
