// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Inserts and deletes entries at each call, but none of the first.
#include "trigger.h"

#define STAYING 500
#define PASSING 1000

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2000);
	__type(key, __u32);
	__type(value, __u64);
} table SEC(".maps");

struct prefix {
	__u32 length;
	__u32 bits;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 2000);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct prefix);
	__type(value, __u64);
} trie SEC(".maps");

__u64 turns;

static __always_inline void disturb(__u32 turn)
{
	__u32 inserted = STAYING + turn % PASSING, deleted = STAYING + turn * 7 % PASSING;
	struct prefix into = { 32, inserted }, from = { 32, deleted };
	__u64 value = turn;

	bpf_map_update_elem(&table, &inserted, &value, BPF_ANY);
	bpf_map_delete_elem(&table, &deleted);
	bpf_map_update_elem(&trie, &into, &value, BPF_ANY);
	bpf_map_delete_elem(&trie, &from);
}

SEC("raw_tp/sys_enter")
int churn(struct bpf_raw_tracepoint_args *ctx)
{
	int i;

	if (!is_trigger(ctx))
		return 0;
	for (i = 0; i < 8; i++)
		disturb(turns++);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
