// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#ifndef BOOTSTRAP_H
#define BOOTSTRAP_H

#define COMM_LENGTH 16
#define FILENAME_LENGTH 128

enum event_kind {
	EVENT_EXEC,
	EVENT_EXIT,
};

struct event {
	__u64 duration_ns;
	__u32 pid;
	__u32 ppid;
	enum event_kind kind;
	// As wait(2) has it: the exit code in bits 8 to 15, the signal in bits 0 to 6.
	__u32 exit_code;
	// Whether the start was seen.
	__u8 has_duration;
	char comm[COMM_LENGTH];
	char filename[FILENAME_LENGTH];
};

#endif
