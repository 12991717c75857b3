// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Counts system calls of one thread, and tells what it sees of its global variables.
#include "trigger.h"

const volatile __u64 from_rodata = 1;
__u64 from_data = 2;
__u64 from_bss;

struct call {
	__u64 number;
	__u64 rodata;
	__u64 data;
	__u64 bss;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} count SEC(".maps");

static __always_inline int on_call(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 key = 0;
	__u64 *number;
	struct call *call;

	if (!is_trigger(ctx))
		return 0;
	number = bpf_map_lookup_elem(&count, &key);
	if (!number)
		return 0;
	*number += 1;
	call = bpf_ringbuf_reserve(&ring, sizeof(*call), 0);
	if (!call)
		return 0;
	call->number = *number;
	call->rodata = from_rodata;
	call->data = from_data;
	call->bss = from_bss;
	bpf_ringbuf_submit(call, 0);
	return 0;
}

SEC("raw_tp/sys_enter")
int on_enter(struct bpf_raw_tracepoint_args *ctx)
{
	return on_call(ctx);
}

// The old kind of tracepoint, which needs tracefs. The numbers before the call's own are common to all tracepoints.
struct sys_enter {
	__u64 common;
	__s64 number;
	__u64 args[6];
};

SEC("?tracepoint/raw_syscalls/sys_enter")
int on_tracepoint(struct sys_enter *ctx)
{
	__u32 key = 0;
	__u64 *number;

	if ((__u64)ctx->number != trigger_syscall ||
	    (__u32)bpf_get_current_pid_tgid() != trigger_thread)
		return 0;
	number = bpf_map_lookup_elem(&count, &key);
	if (number)
		*number += 1;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
