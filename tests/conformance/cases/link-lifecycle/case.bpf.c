// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Links that are pinned, exchanged and let go.
#include "calls.h"

SEC("?iter/task")
int first(void *ctx)
{
	return 0;
}

SEC("?iter/task")
int second(void *ctx)
{
	return 0;
}

// For another kind of iterator.
SEC("?iter/bpf_map")
int of_maps(void *ctx)
{
	return 0;
}

// The numbers before the call's own are common to all tracepoints.
struct sys_enter {
	__u64 common;
	__s64 number;
	__u64 args[6];
};

SEC("?tracepoint/raw_syscalls/sys_enter")
int on_tracepoint(struct sys_enter *ctx)
{
	if ((__u64)ctx->number == trigger_syscall &&
	    (__u32)bpf_get_current_pid_tgid() == trigger_thread)
		count_call();
	return 0;
}
