// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Reports what is executed, with all arguments.
#include <stddef.h>

#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <wasm_bpf/ringbuf.bpf.h>

#include "execve.h"

struct mm_struct {
	unsigned long arg_start, arg_end;
} __attribute__((preserve_access_index));

struct task_struct {
	int tgid;
	struct task_struct *real_parent;
	struct mm_struct *mm;
} __attribute__((preserve_access_index));

// -1: any; it is no user's.
const volatile __u32 target_uid = -1;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024);
} events SEC(".maps");

WASM_BPF_LOST_COUNTER(lost);

// When this comes by, the new program's arguments lie one behind the other at the top of its stack, and are in memory.
SEC("raw_tp/sched_process_exec")
int on_exec(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];
	__u32 uid = bpf_get_current_uid_gid();
	unsigned long start, end;
	struct event *event;
	__u64 length;

	if (target_uid != (__u32)-1 && uid != target_uid)
		return 0;
	event = wasm_bpf_ringbuf_reserve(&events, sizeof(*event), &lost);
	if (!event)
		return 0;
	start = BPF_CORE_READ(task, mm, arg_start);
	end = BPF_CORE_READ(task, mm, arg_end);
	length = end - start;
	event->all_arguments_length = length;
	if (length > ARGUMENTS_LENGTH)
		length = ARGUMENTS_LENGTH;
	event->arguments_length = length;
	if (bpf_probe_read_user(event->arguments, length, (void *)start))
		event->arguments_length = 0;
	event->pid = bpf_get_current_pid_tgid() >> 32;
	event->ppid = BPF_CORE_READ(task, real_parent, tgid);
	event->uid = uid;
	bpf_get_current_comm(&event->comm, sizeof(event->comm));
	bpf_ringbuf_submit(event, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
