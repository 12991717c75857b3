// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// A map whose sizes are made large before it is loaded.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} large SEC(".maps");

char LICENSE[] SEC("license") = "Dual BSD/GPL";
