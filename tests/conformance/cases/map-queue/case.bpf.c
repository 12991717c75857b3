// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Takes a value out of a queue and puts it, plus one, into a stack.
#include "trigger.h"

struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 8);
	__type(value, __u32);
} orders SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 8);
	__type(value, __u32);
} answers SEC(".maps");

SEC("raw_tp/sys_enter")
int answer(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 value = 0;

	if (!is_trigger(ctx))
		return 0;
	if (bpf_map_pop_elem(&orders, &value))
		return 0;
	value += 1;
	bpf_map_push_elem(&answers, &value, BPF_ANY);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
