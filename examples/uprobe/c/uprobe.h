// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#ifndef UPROBE_H
#define UPROBE_H

struct event {
	__u64 duration_ns;
	__s64 first;
	__s64 second;
	__s64 result;
	__u32 pid;
	__u32 unused;
};

#endif
