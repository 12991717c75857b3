// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Functions of the kernel: some observe, others do not. Nothing here is ever attached.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

// Defined, if empty: a declaration would be another kind of type than the kernel's.
struct bpf_key {};
struct task_struct {};

extern struct bpf_key *bpf_lookup_system_key(__u64 id) __ksym;
extern void bpf_key_put(struct bpf_key *key) __ksym;
extern struct task_struct *bpf_task_from_pid(__s32 pid) __ksym __weak;
extern void bpf_task_release(struct task_struct *task) __ksym __weak;

SEC("?tp_btf/sys_enter")
int takes_key(void *ctx)
{
	struct bpf_key *key = bpf_lookup_system_key(0);

	if (key)
		bpf_key_put(key);
	return 0;
}

SEC("?tp_btf/sys_enter")
int takes_task(void *ctx)
{
	struct task_struct *task = bpf_task_from_pid(1);

	if (task)
		bpf_task_release(task);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
