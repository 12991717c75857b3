// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Programs that count the trigger's calls, attached in several ways. What needs a newer kernel or files is off until it is switched on.
#include "trigger.h"

struct seen {
	__u64 calls;
	__u64 cookie;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct seen);
} seen SEC(".maps");

static __always_inline struct seen *count(void)
{
	__u32 key = 0;
	struct seen *value = bpf_map_lookup_elem(&seen, &key);

	if (value)
		value->calls++;
	return value;
}

// Its name has more characters than the kernel keeps.
SEC("raw_tp/sys_enter")
int counts_calls_of_one_thread(struct bpf_raw_tracepoint_args *ctx)
{
	if (is_trigger(ctx))
		count();
	return 0;
}

// Without a target: whoever attaches it names one.
SEC("?raw_tp")
int anywhere(struct bpf_raw_tracepoint_args *ctx)
{
	if (is_trigger(ctx))
		count();
	return 0;
}

SEC("?raw_tp")
int anywhere_with_cookie(struct bpf_raw_tracepoint_args *ctx)
{
	struct seen *value;

	if (!is_trigger(ctx))
		return 0;
	value = count();
	if (value)
		value->cookie = bpf_get_attach_cookie(ctx);
	return 0;
}

// The numbers before the call's own are common to all tracepoints.
struct sys_enter {
	__u64 common;
	__s64 number;
	__u64 args[6];
};

static __always_inline int is_trigger_of(struct sys_enter *ctx)
{
	return (__u64)ctx->number == trigger_syscall &&
	       (__u32)bpf_get_current_pid_tgid() == trigger_thread;
}

SEC("?tracepoint/raw_syscalls/sys_enter")
int on_tracepoint(struct sys_enter *ctx)
{
	if (is_trigger_of(ctx))
		count();
	return 0;
}

SEC("?tracepoint")
int on_tracepoint_with_cookie(struct sys_enter *ctx)
{
	struct seen *value;

	if (!is_trigger_of(ctx))
		return 0;
	value = count();
	if (value)
		value->cookie = bpf_get_attach_cookie(ctx);
	return 0;
}

SEC("?raw_tp/no_such_tracepoint")
int on_no_tracepoint(void *ctx)
{
	return 0;
}

SEC("?tracepoint/raw_syscalls/../sys_enter")
int on_path(void *ctx)
{
	return 0;
}

// The runner's trigger makes this call.
SEC("?ksyscall/sched_get_priority_max")
int on_kernel_function(void *ctx)
{
	if ((__u32)bpf_get_current_pid_tgid() == trigger_thread)
		count();
	return 0;
}

SEC("?kprobe/no_such_function")
int on_no_kernel_function(void *ctx)
{
	return 0;
}

SEC("?kprobe.multi/a*b*c*")
int on_pattern(void *ctx)
{
	return 0;
}

SEC("?uprobe//run/wasm-bpf-conformance/target:wbc_target")
int on_function(void *ctx)
{
	count();
	return 0;
}

SEC("?uprobe//run/wasm-bpf-conformance/target:no_such_function")
int on_no_function(void *ctx)
{
	return 0;
}

SEC("?uprobe/target:wbc_target")
int on_relative_path(void *ctx)
{
	return 0;
}

SEC("?usdt//run/wasm-bpf-conformance/target:provider:name")
int on_usdt(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
