// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#ifndef PROFILE_H
#define PROFILE_H

#define COMM_LENGTH 16
// What the kernel gives at most unless kernel.perf_event_max_stack says otherwise.
#define MAX_DEPTH 127

// A stack of a process. Where there is none, the number of an error.
struct place {
	__u32 tgid;
	int user_stack;
	int kernel_stack;
	char comm[COMM_LENGTH];
};

struct stack {
	__u64 addresses[MAX_DEPTH];
};

#endif
