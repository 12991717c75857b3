// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Maps that only programs fill, and storages, whose keys need BTF. Each case creates those that it is about.
#include "trigger.h"

// Not in older headers.
#define CGRP_STORAGE 32

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 16);
	__uint(key_size, 4);
	__uint(value_size, 80);
} stacks SEC(".maps");

__s64 stack_id;

SEC("?raw_tp/sys_enter")
int take_stack(struct bpf_raw_tracepoint_args *ctx)
{
	if (is_trigger(ctx))
		stack_id = bpf_get_stackid(ctx, &stacks, 0);
	return 0;
}

#define STORAGE(name, kind)							\
	struct {								\
		__uint(type, kind);						\
		__uint(map_flags, BPF_F_NO_PREALLOC);				\
		__type(key, int);						\
		__type(value, __u64);						\
	} name SEC(".maps")

STORAGE(sk_storage, BPF_MAP_TYPE_SK_STORAGE);
STORAGE(inode_storage, BPF_MAP_TYPE_INODE_STORAGE);
STORAGE(task_storage, BPF_MAP_TYPE_TASK_STORAGE);
STORAGE(cgrp_storage, CGRP_STORAGE);

__u64 calls_of_task;

SEC("?tp_btf/sys_enter")
int count_in_task(__u64 *ctx)
{
	__u64 *calls;

	if (ctx[1] != trigger_syscall || (__u32)bpf_get_current_pid_tgid() != trigger_thread)
		return 0;
	calls = bpf_task_storage_get(&task_storage, bpf_get_current_task_btf(), 0,
				     BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (calls)
		calls_of_task = ++*calls;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
