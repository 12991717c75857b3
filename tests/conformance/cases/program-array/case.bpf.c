// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Programs that call others through arrays.
#include "trigger.h"

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__uint(value_size, 4);
} targets SEC(".maps");

__u64 jumped;
__u64 fell_through;

SEC("?raw_tp/sys_enter")
int jump(struct bpf_raw_tracepoint_args *ctx)
{
	if (!is_trigger(ctx))
		return 0;
	bpf_tail_call(ctx, &targets, 1);
	fell_through += 1;
	return 0;
}

// A map of 1 MiB that stays with the program.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 131072);
	__type(key, __u32);
	__type(value, __u64);
} large SEC(".maps");

SEC("?raw_tp")
int target(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 key = 100000;
	__u64 *value = bpf_map_lookup_elem(&large, &key);

	if (value)
		*value += 1;
	jumped += 1;
	return 0;
}

SEC("?tracepoint")
int of_another_kind(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
