// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#ifndef LSM_AUDIT_H
#define LSM_AUDIT_H

#define COMM_LENGTH 16
#define PATH_LENGTH 256

enum event_kind {
	KIND_OPEN,
	KIND_EXEC,
	KIND_BPF,
	KIND_PTRACE,
};

struct event {
	enum event_kind kind;
	__u32 pid;
	__u32 tid;
	__u32 uid;
	// KIND_OPEN: what open(2) takes. KIND_BPF: the command of bpf(2). KIND_PTRACE: what is to be allowed.
	__u32 value;
	// KIND_PTRACE: the process that is looked into.
	__u32 target;
	char comm[COMM_LENGTH];
	// KIND_OPEN, KIND_EXEC: a path, with the zero at the end. KIND_PTRACE: the name of the other.
	char text[PATH_LENGTH];
};

#endif
