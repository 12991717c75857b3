// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// At each trigger the program looks into the maps that are stored in two others.
#include "trigger.h"

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
};

struct inner declared SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} by_index SEC(".maps") = {
	.values = { [2] = &declared },
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} by_key SEC(".maps");

// What is in the inner map under key 0; 0 if there is no inner map.
__u64 seen_by_index;
__u64 seen_by_key;

SEC("raw_tp/sys_enter")
int look_inside(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 key = 2, zero = 0;
	__u64 *value;
	void *inner;

	if (!is_trigger(ctx))
		return 0;
	inner = bpf_map_lookup_elem(&by_index, &key);
	value = inner ? bpf_map_lookup_elem(inner, &zero) : 0;
	seen_by_index = value ? *value : 0;
	inner = bpf_map_lookup_elem(&by_key, &key);
	value = inner ? bpf_map_lookup_elem(inner, &zero) : 0;
	seen_by_key = value ? *value : 0;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
