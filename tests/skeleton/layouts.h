/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#ifndef LAYOUTS_H
#define LAYOUTS_H

struct numbers {
	int count;
	long long items[];
};

#ifdef __bpf__
struct opaque {
	unsigned long long __of_this_kernel[2];
	int known;
};
struct other_names {
	union {
		int numbers[4];
		char bytes[16];
	} in;
};
#else
struct opaque {
	unsigned long long __of_another_kernel, __and_more;
	int known;
};
struct other_names {
	union {
		int numbers[4];
		char bytes[16];
	} out;
};
#endif

#endif
