// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Puts the number of the call into a bloom filter.
#include "trigger.h"

struct {
	__uint(type, BPF_MAP_TYPE_BLOOM_FILTER);
	__uint(max_entries, 100);
	__uint(map_extra, 3);
	__type(value, __u64);
} seen SEC(".maps");

__u64 calls;

SEC("raw_tp/sys_enter")
int see(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 value;

	if (!is_trigger(ctx))
		return 0;
	value = ++calls;
	bpf_map_push_elem(&seen, &value, BPF_ANY);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
