// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Reports the files that processes open.
#include <stddef.h>

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <wasm_bpf/syscall.bpf.h>

#include "opensnoop.h"

// Numbers of system calls. Only x86-64 has open; the libraries of the others call openat for it.
#define X86_64_OPEN 2
#define X86_64_OPENAT 257
// That of arm64, riscv64 and all newer architectures.
#define GENERIC_OPENAT 56
// Newer system calls have the same number everywhere.
#define OPENAT2 437

// 0: any.
const volatile __u32 target_pid = 0;
const volatile __u32 target_tid = 0;
// -1: any; it is no user's.
const volatile __u32 target_uid = -1;
const volatile _Bool only_failed = 0;

// Calls that are not reported because too many were under way.
__u64 calls_without_room = 0;
// Whether this kernel's architecture is none of the above.
__u32 is_unknown_architecture = 0;

// Makes the type known to the skeleton.
const struct event *unused __attribute__((unused));

struct call {
	__u64 path;
	// For openat2, where they are.
	__u64 flags;
	__u64 is_openat2;
};

// The calls under way, by thread: at their end the registers no longer have the arguments.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct call);
} calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} events SEC(".maps");

// Raw tracepoints: unlike plain ones they need no tracefs, which small systems do not mount.
SEC("raw_tp/sys_enter")
int on_enter(struct bpf_raw_tracepoint_args *ctx)
{
	void *registers = (void *)ctx->args[0];
	__u64 number = ctx->args[1], id, arguments[6];
	struct call call = {};
	_Bool is_open = 0;
	__u32 tid;

	// First what tells most calls apart, since all of the system's come by here.
	if (WASM_BPF_IS_X86_64) {
		is_open = number == X86_64_OPEN;
		if (!is_open && number != X86_64_OPENAT && number != OPENAT2)
			return 0;
	} else if (WASM_BPF_IS_ARM64 || WASM_BPF_IS_RISCV64) {
		if (number != GENERIC_OPENAT && number != OPENAT2)
			return 0;
	} else {
		is_unknown_architecture = 1;
		return 0;
	}
	id = bpf_get_current_pid_tgid();
	tid = id;
	if (target_pid && id >> 32 != target_pid)
		return 0;
	if (target_tid && tid != target_tid)
		return 0;
	if (target_uid != (__u32)-1 && (__u32)bpf_get_current_uid_gid() != target_uid)
		return 0;
	if (wasm_bpf_is_32_bit(registers))
		return 0;

	wasm_bpf_syscall_arguments(registers, arguments);
	call.path = is_open ? arguments[0] : arguments[1];
	call.flags = is_open ? arguments[1] : arguments[2];
	call.is_openat2 = number == OPENAT2;
	if (bpf_map_update_elem(&calls, &tid, &call, BPF_ANY))
		__sync_fetch_and_add(&calls_without_room, 1);
	return 0;
}

SEC("raw_tp/sys_exit")
int on_exit(struct bpf_raw_tracepoint_args *ctx)
{
	struct {
		struct event event;
		char path[PATH_LENGTH];
	} record = {};
	struct event *event = &record.event;
	__u64 id = bpf_get_current_pid_tgid(), size;
	__u32 tid = id;
	struct call *found, call;
	long length;

	// What tells most calls apart, again: few threads are in an open.
	found = bpf_map_lookup_elem(&calls, &tid);
	if (!found)
		return 0;
	call = *found;
	bpf_map_delete_elem(&calls, &tid);
	event->result = ctx->args[1];
	if (only_failed && event->result >= 0)
		return 0;
	event->pid = id >> 32;
	event->tid = tid;
	event->uid = bpf_get_current_uid_gid();
	event->flags = (__u32)call.flags;
	if (call.is_openat2) {
		event->flags = 0;
		bpf_probe_read_user(&event->flags, sizeof(event->flags), (void *)call.flags);
	}
	bpf_get_current_comm(&event->comm, sizeof(event->comm));

	// Now and not at the beginning: a program cannot bring in a page that is not in memory, and at the beginning the page
	// with the path often is not, as when a program opens a file whose name is a constant that it never touched. Now the
	// kernel itself has read the path. The price: another thread may have changed it meanwhile.
	length = bpf_probe_read_user_str(record.path, sizeof(record.path), (void *)call.path);
	if (length < 0)
		length = 0;
	// It never is: but the verifier has to see it.
	if (length > PATH_LENGTH)
		length = PATH_LENGTH;
	event->path_length = length;
	size = offsetof(typeof(record), path) + length;
	bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &record, size);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
