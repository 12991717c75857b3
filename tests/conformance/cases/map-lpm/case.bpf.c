// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// At each trigger the program looks for the longest prefix of an address.
#include "trigger.h"

struct key {
	__u32 prefix_length;
	__u8 address[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16);
	__type(key, struct key);
	__type(value, __u32);
} routes SEC(".maps");

__u32 found;

SEC("raw_tp/sys_enter")
int look(struct bpf_raw_tracepoint_args *ctx)
{
	struct key key = { 32, { 10, 1, 2, 3 } };
	__u32 *value;

	if (!is_trigger(ctx))
		return 0;
	value = bpf_map_lookup_elem(&routes, &key);
	found = value ? *value : 0;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
