// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Memory that programs and user space share: at each trigger the program does with it what user space asks for.
#include "trigger.h"

struct pair {
	__u32 first;
	__u64 second;
};

// Read-only for both once it is loaded.
const volatile __u64 factor = 3;
const volatile __u32 table[4] = { 1, 2, 3, 4 };

// User space writes, the program reads; and the other way round.
__u64 input = 5;
__u64 output;
__u8 small = 7;
struct pair pair;
__u32 squares[16];

// All bits or none, by turns, and how often.
__u64 whole;
__u32 whole_half;
__u64 turns;

__u64 named SEC(".data.named") = 11;
const volatile __u64 fixed SEC(".rodata.fixed") = 13;

// No variable of this section can be seen from outside, so it is not mapped.
static volatile __u64 hidden SEC(".data.hidden") = 17;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1000);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	// 12 bytes, which take 16.
	__type(value, __u32[3]);
} entries SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} plain SEC(".maps");

// User space may write, but not read it.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE | BPF_F_WRONLY);
	__type(key, __u32);
	__type(value, __u64);
} only_written SEC(".maps");

SEC("raw_tp/sys_enter")
int act(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 key, *entry;

	if (!is_trigger(ctx))
		return 0;
	output = input * factor + named + fixed + hidden;
	small += 1;
	pair.first += 1;
	pair.second = input;
	for (key = 0; key < 16; key++)
		squares[key] = key * key;
	whole = ~whole;
	whole_half = ~whole_half;
	turns += 1;
	key = 999;
	entry = bpf_map_lookup_elem(&entries, &key);
	if (entry)
		entry[2] = entry[0] + entry[1];
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
