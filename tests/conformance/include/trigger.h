/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#ifndef TRIGGER_H
#define TRIGGER_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/*
 * Programs here are attached to the entry of all system calls and act for one: one number from one thread, which is the runner's.
 * So nothing else on the machine is counted.
 */
const volatile __u32 trigger_thread = 0;
const volatile __u64 trigger_syscall = 0;

static __always_inline int is_trigger(struct bpf_raw_tracepoint_args *ctx)
{
	return ctx->args[1] == trigger_syscall &&
	       (__u32)bpf_get_current_pid_tgid() == trigger_thread;
}

#endif
