// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#ifndef XDP_COUNTER_H
#define XDP_COUNTER_H

// What is counted together.
struct packet_kind {
	// The Ethernet type, behind VLAN tags.
	__u16 ethertype;
	// Of TCP, UDP and the like, if ports are counted.
	__u16 port;
	// The protocol in an IP packet.
	__u8 protocol;
	__u8 padding[3];
};

struct counter {
	__u64 packets;
	__u64 bytes;
};

#endif
