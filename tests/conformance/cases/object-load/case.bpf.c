// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// An object with several programs and maps, of which one is not right.
#include "trigger.h"
#include <bpf/bpf_core_read.h>

__u64 from_data = 2;

struct task {
	__u64 by_offset;
	__u64 by_helper;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct task);
} tasks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4);
	__type(key, __u32);
	__type(value, __u32);
} spare SEC(".maps");

SEC("raw_tp/sys_enter")
int first(struct bpf_raw_tracepoint_args *ctx)
{
	return is_trigger(ctx) ? from_data : 0;
}

SEC("?raw_tp/sys_enter")
int second(void *ctx)
{
	return 0;
}

// A map value that may not be there. Behind the others: they are loaded before it.
SEC("?raw_tp/sys_enter")
int careless(void *ctx)
{
	__u32 key = 0;
	__u32 *value = bpf_map_lookup_elem(&spare, &key);

	return *value;
}

// Not as the kernel has it: the field is found by its name.
struct task_struct {
	int tgid;
} __attribute__((preserve_access_index));

SEC("?raw_tp/sys_enter")
int relocated(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *current = (void *)bpf_get_current_task();
	__u32 key = 0;
	struct task *task;

	if (!is_trigger(ctx))
		return 0;
	task = bpf_map_lookup_elem(&tasks, &key);
	if (!task)
		return 0;
	task->by_offset = BPF_CORE_READ(current, tgid);
	task->by_helper = bpf_get_current_pid_tgid() >> 32;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
