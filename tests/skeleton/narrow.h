/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What a header must not have that is for both sides. */
#ifndef NARROW_H
#define NARROW_H

struct inner {
	char mark;
	void *where;
};

struct event {
	int pid;
	unsigned long total;
	long parts[2];
	struct inner inner[2];
	int last;
};

/* The same for all. */
struct fine {
	unsigned long long total;
	char mark;
};

#endif
