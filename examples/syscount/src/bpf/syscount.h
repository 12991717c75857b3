// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#ifndef SYSCOUNT_H
#define SYSCOUNT_H

#define COMM_LENGTH 16

// Whose numbers the system calls have.
enum arch {
	// No call was seen yet.
	ARCH_UNSEEN,
	ARCH_X86_64,
	ARCH_ARM64,
	ARCH_RISCV64,
	ARCH_OTHER,
};

// In the key of a system call: it was made the 32-bit way, in which the number means another call.
#define KEY_32_BIT 0x80000000
// x86-64's mark of its third way, x32, which is part of the number.
#define X32_BIT 0x40000000
// Numbers are smaller. Where there is none, and for what a process makes up, the key has this.
#define NUMBERS 1024

struct total {
	__u64 count;
	__u64 total_ns;
};

struct comm {
	char text[COMM_LENGTH];
};

#endif
