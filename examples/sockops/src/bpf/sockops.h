// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#ifndef SOCKOPS_H
#define SOCKOPS_H

enum event_kind {
	EVENT_CONNECT,
	EVENT_ACCEPT,
	EVENT_CLOSE,
};

struct event {
	// How long the connection was there, when it ends.
	__u64 duration_ns;
	__u64 bytes_sent;
	__u64 bytes_received;
	// Of IPv4 the first 4 bytes.
	__u8 local[16];
	__u8 remote[16];
	enum event_kind kind;
	// Microseconds.
	__u32 round_trip;
	__u32 retransmissions;
	__u16 local_port;
	__u16 remote_port;
	__u8 is_ipv6;
	// Whether the connection was seen from its beginning.
	__u8 has_duration;
};

#endif
