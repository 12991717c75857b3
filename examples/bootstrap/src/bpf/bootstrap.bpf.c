// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Reports processes that start and end.
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <wasm_bpf/ringbuf.bpf.h>

#include "bootstrap.h"

// The few fields that are read here. CO-RE finds where the running kernel has them, so the object does not depend on the
// kernel it was compiled on.
struct task_struct {
	int tgid;
	int exit_code;
	struct task_struct *real_parent;
} __attribute__((preserve_access_index));

struct linux_binprm {
	const char *filename;
} __attribute__((preserve_access_index));

// Processes that end earlier are not reported; 0: all are, and their starts too.
const volatile __u64 min_duration_ns = 0;

// Makes the type known to the skeleton.
const struct event *unused __attribute__((unused));

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

// When each running process began.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, __u64);
} starts SEC(".maps");

WASM_BPF_LOST_COUNTER(lost);

static struct event *new_event(struct task_struct *task, __u32 pid)
{
	struct event *event = wasm_bpf_ringbuf_reserve(&events, sizeof(*event), &lost);

	if (!event)
		return 0;
	event->pid = pid;
	event->ppid = BPF_CORE_READ(task, real_parent, tgid);
	event->exit_code = 0;
	event->duration_ns = 0;
	event->has_duration = 0;
	bpf_get_current_comm(&event->comm, sizeof(event->comm));
	return event;
}

// Raw tracepoints: unlike plain ones they need no tracefs, which small systems do not mount.
SEC("raw_tp/sched_process_exec")
int on_exec(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];
	struct linux_binprm *binary = (void *)ctx->args[2];
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	__u64 now = bpf_ktime_get_ns();
	struct event *event;

	bpf_map_update_elem(&starts, &pid, &now, BPF_ANY);
	if (min_duration_ns)
		return 0;
	event = new_event(task, pid);
	if (!event)
		return 0;
	event->kind = EVENT_EXEC;
	bpf_probe_read_kernel_str(&event->filename, sizeof(event->filename),
				  BPF_CORE_READ(binary, filename));
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int on_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *task = (void *)ctx->args[0];
	__u64 id = bpf_get_current_pid_tgid();
	__u32 pid = id >> 32;
	struct event *event;
	__u64 *start, duration = 0;

	// A thread that ends is not the process ending.
	if (pid != (__u32)id)
		return 0;
	start = bpf_map_lookup_elem(&starts, &pid);
	if (start) {
		duration = bpf_ktime_get_ns() - *start;
		bpf_map_delete_elem(&starts, &pid);
	}
	if (min_duration_ns && (!start || duration < min_duration_ns))
		return 0;
	event = new_event(task, pid);
	if (!event)
		return 0;
	event->kind = EVENT_EXIT;
	event->exit_code = BPF_CORE_READ(task, exit_code);
	event->has_duration = !!start;
	event->duration_ns = duration;
	event->filename[0] = 0;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
