// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// At each trigger the program looks into the map that is stored in another one.
#include "trigger.h"

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} plain SEC(".maps");

__u64 seen;

SEC("raw_tp/sys_enter")
int look_inside(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 key = 2, zero = 0;
	__u64 *value;
	void *inner;

	if (!is_trigger(ctx))
		return 0;
	inner = bpf_map_lookup_elem(&outer, &key);
	value = inner ? bpf_map_lookup_elem(inner, &zero) : 0;
	seen = value ? *value : 0;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
