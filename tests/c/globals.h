/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What both sides of the program know: types of known width, and what one side puts into each variable for the other to find. */
#ifndef GLOBALS_H
#define GLOBALS_H

#include <linux/types.h>

enum wide {
	WIDE_NONE,
	WIDE_LOW = 0x80000000,
	WIDE_HIGH = 0xfedcba9876543210ULL,
};

enum below {
	BELOW_ZERO = -5,
	BELOW_NONE = 0,
};

/* Seven bytes of padding at its end, which what follows it in another struct must not use. */
struct tail {
	__u64 number;
	__u8 letter;
};

struct nested {
	__u8 first;
	struct tail tail;
	__u16 between;
	union {
		__u32 word;
		__u8 bytes[8];
	};
	enum wide wide;
	struct {
		__s32 x, y;
	} point[2];
};

struct bits {
	__u32 three : 3;
	__u32 thirteen : 13;
	__u32 : 0;
	__u64 forty : 40;
	__u8 one : 1;
};

struct packed {
	__u8 byte;
	__u64 number;
	__u16 rest;
} __attribute__((packed));

/* A type without a name of its own. */
typedef struct {
	__s64 total;
	char name[5];
} pair_t;

#define TEXT "text of the program"

#endif
