// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#ifndef TCPCONNLAT_H
#define TCPCONNLAT_H

#define COMM_LENGTH 16

struct event {
	__u64 latency_ns;
	// Of IPv4 the first 4 bytes.
	__u8 source[16];
	__u8 destination[16];
	__u32 pid;
	__u16 source_port;
	__u16 destination_port;
	__u8 is_ipv6;
	__u8 unused[7];
	char comm[COMM_LENGTH];
};

#endif
