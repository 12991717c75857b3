// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// A program that reads the event of a CPU.
#include "trigger.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(max_entries, 1024);
	__uint(key_size, 4);
	__uint(value_size, 4);
} events SEC(".maps");

__u64 cpu;
__u64 counter;
__u64 enabled;
__s64 answer;

SEC("raw_tp/sys_enter")
int on_enter(struct bpf_raw_tracepoint_args *ctx)
{
	struct bpf_perf_event_value value = {};

	if (!is_trigger(ctx))
		return 0;
	cpu = bpf_get_smp_processor_id();
	answer = bpf_perf_event_read_value(&events, BPF_F_CURRENT_CPU, &value, sizeof(value));
	counter = value.counter;
	enabled = value.enabled;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
