// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Numbered records through a perf buffer, one for each trigger.
#include "trigger.h"

// How many triggers pass before the first record, so that somebody already waits for it.
const volatile __u64 skip = 0;
// Bytes that follow each record's numbers.
const volatile __u32 extra = 0;

#define MOST_EXTRA 4096

struct record {
	__u64 number;
	// So that a record that is torn or shifted cannot pass for another.
	__u64 check;
	__u32 cpu;
	__u32 unused;
};

const struct record *unused __attribute__((unused));

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, 4);
	__uint(value_size, 4);
} events SEC(".maps");

// How many triggers there were, how many records were made, and how many of them the kernel did not take.
__u64 triggers;
__u64 produced;
__u64 refused;

struct large {
	struct record record;
	__u8 bytes[MOST_EXTRA];
};

// Too large for the stack.
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct large);
} scratch SEC(".maps");

SEC("raw_tp/sys_enter")
int produce(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 key = 0, length = extra;
	struct large *large;

	if (!is_trigger(ctx))
		return 0;
	triggers += 1;
	large = bpf_map_lookup_elem(&scratch, &key);
	if (!large || length > MOST_EXTRA || triggers <= skip)
		return 0;
	large->record.number = produced;
	large->record.check = ~produced;
	large->record.cpu = bpf_get_smp_processor_id();
	if (bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, large,
				  sizeof(large->record) + length))
		refused += 1;
	produced += 1;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
