// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#ifndef TCPSTATES_H
#define TCPSTATES_H

#define COMM_LENGTH 16

struct event {
	// How long the old state lasted; of the first that is seen it is not known.
	__u64 duration_ns;
	// The kernel's address of the socket, which tells connections apart.
	__u64 socket;
	// Of IPv4 the first 4 bytes.
	__u8 local[16];
	__u8 remote[16];
	__u32 pid;
	__u16 local_port;
	__u16 remote_port;
	__u8 is_ipv6;
	__u8 has_duration;
	__u8 old_state;
	__u8 new_state;
	char comm[COMM_LENGTH];
};

#endif
