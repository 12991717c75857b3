// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#ifndef TASK_ITER_H
#define TASK_ITER_H

#define COMM_LENGTH 16

struct task {
	// In nanoseconds since the machine was started.
	__u64 start;
	__u32 pid;
	__u32 tid;
	__u32 parent;
	// Bits of include/linux/sched.h.
	__u32 state;
	__u32 exit_state;
	__u32 is_kernel_thread;
	char comm[COMM_LENGTH];
};

#endif
