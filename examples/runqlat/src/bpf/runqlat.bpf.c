// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Measures how long tasks wait for a CPU.
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "runqlat.h"

// The few fields that are read here. CO-RE finds where the running kernel has them.
struct task_struct {
	int pid;
	int tgid;
	struct task_struct *group_leader;
	char comm[COMM_LENGTH];
} __attribute__((preserve_access_index));

// The task's state was renamed, and made an int, in 5.14. What follows ___ is not part of the name that CO-RE looks for.
struct task_struct___since_5_14 {
	unsigned int __state;
} __attribute__((preserve_access_index));

struct task_struct___before_5_14 {
	volatile long state;
} __attribute__((preserve_access_index));

// States of include/linux/sched.h.
#define TASK_RUNNING 0
#define TASK_DEAD 0x80

// 0: all processes.
const volatile __u32 target_tgid = 0;
const volatile enum grouping grouping = GROUP_ALL;
// Nanoseconds in what a histogram counts.
const volatile __u64 unit_ns = 1000;

// What could not be measured because a map was full.
__u64 waits_without_room = 0;
__u64 waits_without_histogram = 0;

// Since when each task that could run has waited.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, __u64);
} waiting SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, __u32);
	__type(value, struct hist);
} hists SEC(".maps");

// Too large to be made on the stack for each new entry.
static const struct hist no_waits;

static long state_of(struct task_struct *task)
{
	struct task_struct___since_5_14 *new = (void *)task;
	struct task_struct___before_5_14 *old = (void *)task;

	if (bpf_core_field_exists(new->__state))
		return BPF_CORE_READ(new, __state);
	return BPF_CORE_READ(old, state);
}

static void begin_wait(struct task_struct *task)
{
	__u32 tid = BPF_CORE_READ(task, pid);
	__u64 now;

	// The idle tasks, one for each CPU, which wait for nothing.
	if (!tid)
		return;
	if (target_tgid && BPF_CORE_READ(task, tgid) != target_tgid)
		return;
	now = bpf_ktime_get_ns();
	if (bpf_map_update_elem(&waiting, &tid, &now, BPF_ANY))
		__sync_fetch_and_add(&waits_without_room, 1);
}

static __u32 log2_of(__u64 value)
{
	__u32 result = 0, shift;

	// By halves: a loop over the bits would be long for the verifier, and for the scheduler.
	shift = (value > 0xffffffff) << 5;
	value >>= shift;
	result |= shift;
	shift = (value > 0xffff) << 4;
	value >>= shift;
	result |= shift;
	shift = (value > 0xff) << 3;
	value >>= shift;
	result |= shift;
	shift = (value > 0xf) << 2;
	value >>= shift;
	result |= shift;
	shift = (value > 0x3) << 1;
	value >>= shift;
	result |= shift;
	return result | (value >> 1);
}

static __u32 key_of(struct task_struct *task)
{
	if (grouping == GROUP_PROCESS)
		return BPF_CORE_READ(task, tgid);
	if (grouping == GROUP_THREAD)
		return BPF_CORE_READ(task, pid);
	return 0;
}

static void set_name(struct hist *hist, struct task_struct *task)
{
	// Threads can have names of their own; the process has that of its first.
	if (grouping == GROUP_PROCESS)
		task = BPF_CORE_READ(task, group_leader);
	if (grouping != GROUP_ALL)
		BPF_CORE_READ_STR_INTO(&hist->comm, task, comm);
}

static struct hist *hist_of(struct task_struct *task)
{
	__u32 key = key_of(task);
	struct hist *hist = bpf_map_lookup_elem(&hists, &key);

	if (hist)
		return hist;
	// Another CPU may be first: that is no failure.
	bpf_map_update_elem(&hists, &key, &no_waits, BPF_NOEXIST);
	hist = bpf_map_lookup_elem(&hists, &key);
	if (!hist) {
		__sync_fetch_and_add(&waits_without_histogram, 1);
		return 0;
	}
	set_name(hist, task);
	return hist;
}

static void end_wait(struct task_struct *task)
{
	__u32 tid = BPF_CORE_READ(task, pid), slot;
	struct hist *hist;
	__u64 *since, now;
	__s64 waited;

	since = bpf_map_lookup_elem(&waiting, &tid);
	if (!since)
		return;
	now = bpf_ktime_get_ns();
	waited = now - *since;
	bpf_map_delete_elem(&waiting, &tid);
	// The clocks of two CPUs can differ by a little.
	if (waited < 0)
		waited = 0;
	hist = hist_of(task);
	if (!hist)
		return;
	slot = log2_of((__u64)waited / unit_ns);
	if (slot >= SLOTS)
		slot = SLOTS - 1;
	__sync_fetch_and_add(&hist->slots[slot], 1);
}

// Raw tracepoints: unlike plain ones they need no tracefs, which small systems do not mount.
SEC("raw_tp/sched_wakeup")
int on_wakeup(struct bpf_raw_tracepoint_args *ctx)
{
	begin_wait((void *)ctx->args[0]);
	return 0;
}

SEC("raw_tp/sched_wakeup_new")
int on_wakeup_new(struct bpf_raw_tracepoint_args *ctx)
{
	begin_wait((void *)ctx->args[0]);
	return 0;
}

SEC("raw_tp/sched_switch")
int on_switch(struct bpf_raw_tracepoint_args *ctx)
{
	_Bool is_preempted = ctx->args[0];
	struct task_struct *prev = (void *)ctx->args[1];
	struct task_struct *next = (void *)ctx->args[2];
	long state = state_of(prev);

	// A task that is preempted goes on waiting for a CPU, even if it was about to sleep.
	if (is_preempted || state == TASK_RUNNING) {
		begin_wait(prev);
	} else if (state & TASK_DEAD) {
		// A wake-up that came while it ran left an entry that nothing else would remove.
		__u32 tid = BPF_CORE_READ(prev, pid);

		bpf_map_delete_elem(&waiting, &tid);
	}
	end_wait(next);
	return 0;
}

// A new process has its parent's name until it executes a file, and has often waited by then.
SEC("raw_tp/sched_process_exec")
int on_exec(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];
	__u32 key = key_of(task);
	struct hist *hist = bpf_map_lookup_elem(&hists, &key);

	if (hist)
		set_name(hist, task);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
