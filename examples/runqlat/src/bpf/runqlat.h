// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#ifndef RUNQLAT_H
#define RUNQLAT_H

#define COMM_LENGTH 16
// The last one takes what is longer: with microseconds, from 33 seconds on.
#define SLOTS 26

// What has a histogram of its own.
enum grouping {
	GROUP_ALL,
	GROUP_PROCESS,
	GROUP_THREAD,
};

struct hist {
	// Slot N counts waits of 2^N up to 2^(N+1)-1 units; slot 0 those of 0 too.
	__u64 slots[SLOTS];
	char comm[COMM_LENGTH];
};

#endif
