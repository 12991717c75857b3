// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#ifndef SOCKFILTER_H
#define SOCKFILTER_H

struct event {
	// Of IPv4 the first 4 bytes.
	__u8 source[16];
	__u8 destination[16];
	__u32 length;
	__u32 interface_index;
	// 0 for protocols without ports, and for the later fragments of a packet.
	__u16 source_port;
	__u16 destination_port;
	__u8 protocol;
	__u8 is_ipv6;
	// As in <linux/if_packet.h>: to this machine, from it, or not for it.
	__u8 packet_type;
	__u8 unused;
};

#endif
