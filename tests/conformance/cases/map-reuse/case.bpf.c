// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// At each trigger the program counts in one map, and looks into the maps that are stored in another.
#include "trigger.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} targets SEC(".maps");

// Global data.
__u64 turns;

SEC("raw_tp/sys_enter")
int count(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 key = 1;
	__u64 *value;

	if (!is_trigger(ctx))
		return 0;
	turns++;
	value = bpf_map_lookup_elem(&counts, &key);
	if (value)
		(*value)++;
	bpf_tail_call(ctx, &targets, 2);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
