// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Reports from security hooks, and lets everything pass: each program answers 0, which overrules nobody who denies.
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "lsm_audit.h"

#define CORE __attribute__((preserve_access_index))

struct dentry;

struct path {
	struct dentry *dentry;
} CORE;

struct file {
	unsigned int f_flags;
	struct path f_path;
} CORE;

struct linux_binprm {
	const char *filename;
} CORE;

struct task_struct {
	int tgid;
	char comm[COMM_LENGTH];
} CORE;

// 0: any.
const volatile __u32 target_pid = 0;

// Makes the type known to the skeleton.
const struct event *unused __attribute__((unused));

// What is not reported because the tool was too slow.
__u64 events_without_room = 0;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

static __always_inline struct event *begin(enum event_kind kind)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 pid = id >> 32;
	struct event *event;

	if (target_pid && pid != target_pid)
		return 0;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		__sync_fetch_and_add(&events_without_room, 1);
		return 0;
	}
	event->kind = kind;
	event->pid = pid;
	event->tid = id;
	event->uid = bpf_get_current_uid_gid();
	event->value = 0;
	event->target = 0;
	event->text[0] = 0;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	return event;
}

SEC("lsm/file_open")
int on_open(__u64 *ctx)
{
	struct file *file = (void *)ctx[0];
	struct event *event = begin(KIND_OPEN);

	if (!event)
		return 0;
	event->value = file->f_flags;
	bpf_d_path(&file->f_path, event->text, sizeof(event->text));
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("lsm/bprm_check_security")
int on_exec(__u64 *ctx)
{
	struct linux_binprm *program = (void *)ctx[0];
	struct event *event = begin(KIND_EXEC);

	if (!event)
		return 0;
	bpf_probe_read_kernel_str(event->text, sizeof(event->text), program->filename);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("lsm/bpf")
int on_bpf(__u64 *ctx)
{
	struct event *event = begin(KIND_BPF);

	if (!event)
		return 0;
	event->value = ctx[0];
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("lsm/ptrace_access_check")
int on_ptrace(__u64 *ctx)
{
	struct task_struct *task = (void *)ctx[0];
	struct event *event = begin(KIND_PTRACE);

	if (!event)
		return 0;
	event->value = ctx[1];
	event->target = task->tgid;
	bpf_probe_read_kernel_str(event->text, COMM_LENGTH, task->comm);
	bpf_ringbuf_submit(event, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
