/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Operations of the kernel: what the other side may set in them are programs and numbers. The rest is there, but has no name. */
#include <linux/types.h>

#define SEC(name) __attribute__((section(name), used))

char _license[] SEC("license") = "GPL";

enum kind { KIND_ONE = 1 };

struct operations {
	char begin;
	int (*first)(void *);
	unsigned long flags;
	void *owner;
	_Bool on;
	unsigned int low : 3, high : 7;
	enum kind kind;
	unsigned short (*second)(long, long);
	char name[13];
	long last;
	char end;
};

SEC("struct_ops/first") int first(void *context)
{
	return 1;
}

SEC("struct_ops/second") int second(void *context)
{
	return 2;
}

SEC(".struct_ops.link") struct operations operations = {
	.first = (void *)first,
	.second = (void *)second,
	.name = "operations",
};
