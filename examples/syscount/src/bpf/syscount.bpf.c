// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Counts system calls.
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <wasm_bpf/syscall.bpf.h>

#include "syscount.h"

// The few fields that are read here. CO-RE finds where the running kernel has them.
struct task_struct {
	struct task_struct *group_leader;
	char comm[COMM_LENGTH];
} __attribute__((preserve_access_index));

// Results from here to -1 are an errno with a minus.
#define LAST_ERRNO -4095

// 0: all processes.
const volatile __u32 target_pid = 0;
const volatile _Bool by_process = 0;
// Whether calls are counted when they end, with their time and result; without, the program for their end is not
// loaded.
const volatile _Bool at_end = 0;
const volatile _Bool only_failed = 0;
// 0: any failure.
const volatile __u32 target_errno = 0;

enum arch arch = ARCH_UNSEEN;
// Calls that are not counted because a map was full.
__u64 calls_without_room = 0;
__u64 calls_without_total = 0;

// The totals, by system call or by process, for each CPU: CPUs that count the same call do not get into each other's way.
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct total);
} totals SEC(".maps");

// The names of processes. They are asked for after the process may have ended.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct comm);
} comms SEC(".maps");

struct call {
	// 0: none is under way.
	__u64 since;
	__u32 key;
	__u32 pad;
};

// The call that each thread is in. An entry stays for the thread's next call: to insert and delete it each time would
// cost more than all else.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u32);
	__type(value, struct call);
} calls SEC(".maps");

static enum arch which_arch(void)
{
	if (WASM_BPF_IS_X86_64)
		return ARCH_X86_64;
	if (WASM_BPF_IS_ARM64)
		return ARCH_ARM64;
	if (WASM_BPF_IS_RISCV64)
		return ARCH_RISCV64;
	return ARCH_OTHER;
}

static __u32 key_of(__u64 number, void *registers)
{
	__u32 key = number;

	// -1 for one that a tracer or a filter took away. Made-up numbers must not be able to fill the map.
	if (number >= NUMBERS && (!WASM_BPF_IS_X86_64 || (number & ~(__u64)X32_BIT) >= NUMBERS))
		key = NUMBERS;
	if (wasm_bpf_is_32_bit(registers))
		key |= KEY_32_BIT;
	return key;
}

static void remember_comm(__u32 pid)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct comm comm = {};

	// Threads can have names of their own; the process has that of its first.
	BPF_CORE_READ_STR_INTO(&comm.text, task, group_leader, comm);
	bpf_map_update_elem(&comms, &pid, &comm, BPF_ANY);
}

static void count(__u32 key, __u64 ns)
{
	struct total *total = bpf_map_lookup_elem(&totals, &key), first = {};

	if (!total) {
		// Another CPU may be first: that is no failure.
		bpf_map_update_elem(&totals, &key, &first, BPF_NOEXIST);
		total = bpf_map_lookup_elem(&totals, &key);
		if (!total) {
			__sync_fetch_and_add(&calls_without_total, 1);
			return;
		}
		if (by_process)
			remember_comm(key);
	}
	total->count += 1;
	total->total_ns += ns;
}

// Raw tracepoints: unlike plain ones they need no tracefs, which small systems do not mount.
SEC("raw_tp/sys_enter")
int on_enter(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 pid = id >> 32, tid = id, key;
	struct call call = {}, *found;

	// Asked before it is written: a line of memory that all CPUs write to is slow.
	if (arch == ARCH_UNSEEN)
		arch = which_arch();
	if (target_pid && pid != target_pid)
		return 0;
	key = by_process ? pid : key_of(ctx->args[1], (void *)ctx->args[0]);
	if (!at_end) {
		count(key, 0);
		return 0;
	}
	found = bpf_map_lookup_elem(&calls, &tid);
	if (found) {
		found->key = key;
		found->since = bpf_ktime_get_ns();
		return 0;
	}
	call.key = key;
	call.since = bpf_ktime_get_ns();
	if (bpf_map_update_elem(&calls, &tid, &call, BPF_ANY))
		__sync_fetch_and_add(&calls_without_room, 1);
	return 0;
}

SEC("raw_tp/sys_exit")
int on_exit(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct call *call = bpf_map_lookup_elem(&calls, &tid);
	long result = ctx->args[1];
	__u64 since;

	// Its beginning was not seen.
	if (!call || !call->since)
		return 0;
	since = call->since;
	call->since = 0;
	if (only_failed) {
		if (result >= 0 || result < LAST_ERRNO)
			return 0;
		if (target_errno && -result != target_errno)
			return 0;
	}
	count(call->key, bpf_ktime_get_ns() - since);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int on_thread_exit(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 tid = bpf_get_current_pid_tgid();

	bpf_map_delete_elem(&calls, &tid);
	return 0;
}

// A new process has its parent's name until it executes a file, and has made calls by then.
SEC("raw_tp/sched_process_exec")
int on_exec(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;

	if (bpf_map_lookup_elem(&totals, &pid))
		remember_comm(pid);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
