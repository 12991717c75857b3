// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Values with a lock, which programs and user space take before they touch the rest.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct locked {
	__u32 before;
	struct bpf_spin_lock lock;
	__u64 after;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct locked);
} by_key SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, struct locked);
} by_index SEC(".maps");

char LICENSE[] SEC("license") = "GPL";
