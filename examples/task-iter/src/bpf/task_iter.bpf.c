// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Writes a record of each task, or what each is waiting in.
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "task_iter.h"

#define CORE __attribute__((preserve_access_index))

// The few fields that are read here. CO-RE finds where the running kernel has them.
struct task_struct {
	int pid;
	int tgid;
	unsigned int flags;
	int exit_state;
	__u64 start_time;
	struct task_struct *real_parent;
	char comm[COMM_LENGTH];
} CORE;

// The task's state was renamed, and made an int, in 5.14. What follows ___ is not part of the name that CO-RE looks for.
struct task_struct___since_5_14 {
	unsigned int __state;
} CORE;

struct task_struct___before_5_14 {
	volatile long state;
} CORE;

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
} CORE;

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} CORE;

// Of include/linux/sched.h.
#define PF_KTHREAD 0x00200000

// 0: all processes.
const volatile __u32 target_pid = 0;
const volatile _Bool with_threads = 0;

// Makes the type known to the skeleton.
const struct task *unused __attribute__((unused));

static __always_inline int is_wanted(struct task_struct *task)
{
	if (target_pid && (__u32)task->tgid != target_pid)
		return 0;
	return with_threads || task->pid == task->tgid;
}

static __always_inline __u32 state_of(struct task_struct *task)
{
	struct task_struct___since_5_14 *since = (void *)task;
	struct task_struct___before_5_14 *before = (void *)task;

	if (bpf_core_field_exists(since->__state))
		return BPF_CORE_READ(since, __state);
	return BPF_CORE_READ(before, state);
}

SEC("iter/task")
int tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct task record = {};

	// At the end there is none.
	if (!task || !is_wanted(task))
		return 0;
	record.start = task->start_time;
	record.pid = task->tgid;
	record.tid = task->pid;
	record.parent = BPF_CORE_READ(task, real_parent, tgid);
	record.state = state_of(task);
	record.exit_state = task->exit_state;
	record.is_kernel_thread = !!(task->flags & PF_KTHREAD);
	BPF_CORE_READ_STR_INTO(&record.comm, task, comm);
	bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
	return 0;
}

#define DEPTH 64

// For one call at a time: an iterator runs with its own lock, and each reader has its own run. Two tools have two of these.
__u64 stack[DEPTH] = {};

// A line with the thread, and then one for each function, which the kernel names itself.
SEC("?iter/task")
int stacks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	long length;

	if (!task || !is_wanted(task))
		return 0;
	BPF_SEQ_PRINTF(ctx->meta->seq, "%d\n", task->pid);
	length = bpf_get_task_stack(task, stack, sizeof(stack), 0);
	for (int i = 0; i < DEPTH; i++) {
		if (length <= i * (long)sizeof(*stack))
			break;
		BPF_SEQ_PRINTF(ctx->meta->seq, " %pB\n", stack[i]);
	}
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
