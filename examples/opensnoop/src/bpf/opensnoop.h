// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#ifndef OPENSNOOP_H
#define OPENSNOOP_H

#define COMM_LENGTH 16
// With the zero at the end. The record is built on the stack, which has 512 bytes.
#define PATH_LENGTH 256

// The path follows, so that a short one takes little room in the buffer.
struct event {
	// What open(2) takes; the numbers are the architecture's.
	__u64 flags;
	__u32 pid;
	__u32 tid;
	__u32 uid;
	// The file descriptor, or an errno with a minus.
	__s32 result;
	// With the zero at the end; 0 if the path could not be read.
	__u32 path_length;
	char comm[COMM_LENGTH];
};

#endif
