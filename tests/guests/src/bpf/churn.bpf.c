// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Inserts and deletes keys at each trigger, and counts in per-CPU maps of several sizes; calls other programs through an array.
#include "trigger.h"

#define STAYING 2000
#define PASSING 5000

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10000);
	__type(key, __u32);
	__type(value, __u64);
} busy SEC(".maps");

// So that not only hash tables are walked under change.
struct prefix {
	__u32 length;
	__u32 bits;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(max_entries, 10000);
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

	bpf_map_update_elem(&busy, &inserted, &value, BPF_ANY);
	bpf_map_delete_elem(&busy, &deleted);
	bpf_map_update_elem(&trie, &into, &value, BPF_ANY);
	bpf_map_delete_elem(&trie, &from);
}

SEC("?raw_tp/sys_enter")
int churn(struct bpf_raw_tracepoint_args *ctx)
{
	int i;

	if (!is_trigger(ctx))
		return 0;
	for (i = 0; i < 32; i++)
		disturb(turns++);
	return 0;
}

struct twelve {
	__u32 a;
	__u32 b;
	__u32 c;
};

#define COUNTER(name, kind, value_type)						\
	struct {								\
		__uint(type, kind);						\
		__uint(max_entries, 4);						\
		__type(key, __u32);						\
		__type(value, value_type);					\
	} name SEC(".maps")

COUNTER(of_1, BPF_MAP_TYPE_PERCPU_ARRAY, __u8);
COUNTER(of_4, BPF_MAP_TYPE_PERCPU_HASH, __u32);
COUNTER(of_8, BPF_MAP_TYPE_LRU_PERCPU_HASH, __u64);
COUNTER(of_12, BPF_MAP_TYPE_PERCPU_ARRAY, struct twelve);

SEC("?raw_tp/sys_enter")
int count(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 key = 1, four_zero = 0, *four;
	__u64 eight_zero = 0, *eight;
	struct twelve *twelve;
	__u8 *one;

	if (!is_trigger(ctx))
		return 0;
	one = bpf_map_lookup_elem(&of_1, &key);
	if (one)
		*one += 1;
	bpf_map_update_elem(&of_4, &key, &four_zero, BPF_NOEXIST);
	four = bpf_map_lookup_elem(&of_4, &key);
	if (four)
		*four += 2;
	bpf_map_update_elem(&of_8, &key, &eight_zero, BPF_NOEXIST);
	eight = bpf_map_lookup_elem(&of_8, &key);
	if (eight)
		*eight += 3;
	twelve = bpf_map_lookup_elem(&of_12, &key);
	if (twelve) {
		twelve->a += 1;
		twelve->b += 10;
		twelve->c += 100;
	}
	return 0;
}

// What is in the inner map under key 0 is added up.
struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u64);
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} by_index SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} by_key SEC(".maps");

__u64 seen_by_index;
__u64 seen_by_key;

SEC("?raw_tp/sys_enter")
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

SEC("?raw_tp")
int target(struct bpf_raw_tracepoint_args *ctx)
{
	jumped += 1;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
