// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Values that belong to processes, inodes and cgroups. At each trigger the program counts in that of the thread.
#include "trigger.h"

// BPF_MAP_TYPE_CGRP_STORAGE, which older headers do not have.
#define CGRP_STORAGE 32

struct value {
	__u64 count;
	__u32 tag;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct value);
} of_tasks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_INODE_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct value);
} of_inodes SEC(".maps");

struct {
	__uint(type, CGRP_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct value);
} of_cgroups SEC(".maps");

SEC("?raw_tp/sys_enter")
int count(struct bpf_raw_tracepoint_args *ctx)
{
	struct value *value;

	if (!is_trigger(ctx))
		return 0;
	value = bpf_task_storage_get(&of_tasks, (void *)bpf_get_current_task_btf(), 0,
				     BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (value)
		value->count++;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
