// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#ifndef EXECVE_H
#define EXECVE_H

#define COMM_LENGTH 16
#define ARGUMENTS_LENGTH 1024

struct event {
	__u32 pid;
	__u32 ppid;
	__u32 uid;
	// Bytes of `arguments`: each argument has a zero at its end. As many as fit.
	__u32 arguments_length;
	// How many there were in all bytes, which may be more than fit.
	__u64 all_arguments_length;
	char comm[COMM_LENGTH];
	char arguments[ARGUMENTS_LENGTH];
};

#endif
