// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// A program whose access to a structure of the kernel is relocated.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

struct task_struct {
	int pid;
} __attribute__((preserve_access_index));

struct conformance_value {
	__u32 number;
	__u64 numbers[3];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct conformance_value);
} values SEC(".maps");

SEC("raw_tp/sys_enter")
int on_enter(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct conformance_value *value;
	__u32 key = 0;

	value = bpf_map_lookup_elem(&values, &key);
	if (value)
		bpf_core_read(&value->number, sizeof(value->number), &task->pid);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
