// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Counts in per-CPU maps whose values have 1, 4, 8 and 12 bytes.
#include "trigger.h"

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

SEC("raw_tp/sys_enter")
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

char LICENSE[] SEC("license") = "Dual BSD/GPL";
