/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#include "narrow.h"

#define SEC(name) __attribute__((section(name), used))

char _license[] SEC("license") = "Dual BSD/GPL";

struct event event;
struct fine fine;

SEC("socket") int program(void *context)
{
	event.last = fine.mark;
	return event.pid;
}
