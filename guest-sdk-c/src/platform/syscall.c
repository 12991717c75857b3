// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// System calls by number, for those that programs make so: libc has no function for them, or had none.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "globals.h"
#include "perf_event.h"
#include "platform/refuse.h"

// Arguments are machine words; programs for 64 bits give numbers of 64 bits only as lengths and flags, which fit.
long syscall(long number, ...)
{
	int arguments[3];
	char why[64];
	va_list list;
	int result;

	va_start(list, number);
	switch (number) {
	case __NR_perf_event_open: {
		// The last argument may come as a long, as an int or as a constant of either.
		const struct perf_event_attr *attributes = va_arg(list, const struct perf_event_attr *);
		int pid = va_arg(list, int), cpu = va_arg(list, int), group = va_arg(list, int);
		unsigned long flags = va_arg(list, unsigned long);

		va_end(list);
		if (!attributes) {
			errno = EFAULT;
			return -1;
		}
		WB_CALL;
		result = wb_perf_event_open(attributes, pid, cpu, group, flags);
		if (result >= 0)
			return result;
		errno = -result;
		return -1;
	}
	case __NR_getpid:
	case __NR_gettid:
		va_end(list);
		return getpid();
	case __NR_kill:
	case __NR_tgkill:
		for (int i = 0; i < (number == __NR_kill ? 2 : 3); i++)
			arguments[i] = va_arg(list, int);
		va_end(list);
		return kill(arguments[0], number == __NR_kill ? arguments[1] : arguments[2]);
	case __NR_clock_gettime: {
		int clock = va_arg(list, int);
		struct timespec *time = va_arg(list, struct timespec *);

		va_end(list);
		return clock_gettime(clock, time);
	}
	case __NR_getrandom: {
		void *buffer = va_arg(list, void *);
		size_t size = va_arg(list, size_t);

		va_end(list);
		arc4random_buf(buffer, size);
		return size;
	}
	}
	va_end(list);
	snprintf(why, sizeof(why), "a WebAssembly guest cannot make system call %ld", number);
	return wb_cannot("syscall", why);
}
