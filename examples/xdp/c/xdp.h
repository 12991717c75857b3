// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#ifndef XDP_H
#define XDP_H

enum verdict {
	VERDICT_PASSED,
	VERDICT_DROPPED,
	VERDICTS,
};

struct count {
	__u64 packets;
	__u64 bytes;
};

// A key of the trie: so many bits of an IPv4 address (in the order of the network).
struct network {
	__u32 bits;
	__u32 address;
};

#endif
