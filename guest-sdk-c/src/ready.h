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

// How many are ready, 0 when the time (in ms; negative: for ever) is over, or a negative errno: -EINTR when a handler ran.
int wb_wait_ready(struct wb_watched *watched, unsigned int count, int timeout_ms);
