// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Waiting for descriptors, of this library and of wasi-libc: what poll(), select() and epoll have in common.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct wb_watched {
	int fd;
	// What is waited for, and what there is.
	bool in, out;
	bool is_in, is_out, is_invalid;
};

// How many are ready, 0 when the time (in nanoseconds; negative: for ever) is over, or a negative errno: -EINTR when a handler ran.
int wb_wait_ready(struct wb_watched *watched, unsigned int count, int64_t timeout);

// For what is ready when something else is: adds a descriptor to a wait. `in` and `out` (NULL: not wanted) are set when it is ready, now
// or after the wait. 0, or a negative errno: -EBADF if there is no such descriptor.
struct wb_waits;
int wb_watch(struct wb_waits *waits, int fd, bool *in, bool *out);

// Milliseconds, or a struct timespec (NULL: for ever), as the time of a wait. Times that do not fit are for ever.
int64_t wb_from_ms(int ms);
struct timespec;
int64_t wb_from_timespec(const struct timespec *time);
