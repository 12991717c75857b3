// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// A program that takes the stack at a system call.
#include "trigger.h"

#define DEPTH 16

__u64 process;
__u64 kernel_stack[DEPTH];
__u64 user_stack[DEPTH];

SEC("raw_tp/sys_enter")
int on_enter(struct bpf_raw_tracepoint_args *ctx)
{
	if (!is_trigger(ctx))
		return 0;
	process = bpf_get_current_pid_tgid() >> 32;
	bpf_get_stack(ctx, kernel_stack, sizeof(kernel_stack), 0);
	bpf_get_stack(ctx, user_stack, sizeof(user_stack), BPF_F_USER_STACK);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
