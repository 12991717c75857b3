// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Counts the system calls of one process.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

// Whose: a global variable that user space sets.
__u32 my_pid = 0;
// How many there were: a global variable that user space reads.
__u64 calls = 0;
// The last one: its number, and the CPU.
__u64 last_number = 0;
__u32 last_cpu = 0;

SEC("raw_tp/sys_enter")
int on_enter(struct bpf_raw_tracepoint_args *ctx)
{
	if (bpf_get_current_pid_tgid() >> 32 != my_pid)
		return 0;
	__sync_fetch_and_add(&calls, 1);
	last_number = ctx->args[1];
	last_cpu = bpf_get_smp_processor_id();
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
