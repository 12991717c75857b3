// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#ifndef LSM_H
#define LSM_H

#define COMM_LENGTH 16

struct event {
	__u32 pid;
	__u32 uid;
	// In the order of the network.
	__u32 address;
	__u16 port;
	__u8 is_denied;
	__u8 unused;
	char comm[COMM_LENGTH];
};

#endif
