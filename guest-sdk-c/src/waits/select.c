// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// select() and pselect(). wasi-libc's sets are lists of numbers, so that those of this library fit in.
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/select.h>
#include <time.h>

#include "waits/ready.h"
#include "waits/stop.h"

static int failed(int error)
{
	errno = error;
	return -1;
}

static void empty(fd_set *set)
{
	if (set)
		FD_ZERO(set);
}

static int wait_for(fd_set *in, fd_set *out, fd_set *except, int64_t timeout)
{
	const size_t ins = in ? in->__nfds : 0, outs = out ? out->__nfds : 0;
	struct wb_watched *watched = calloc(ins + outs + 1, sizeof(*watched));
	unsigned int count = 0;
	int ready;

	if (!watched)
		return failed(ENOMEM);
	for (size_t i = 0; i < ins; i++)
		watched[count++] = (struct wb_watched){ .fd = in->__fds[i], .in = true };
	for (size_t i = 0; i < outs; i++)
		watched[count++] = (struct wb_watched){ .fd = out->__fds[i], .out = true };
	ready = wb_wait_ready(watched, count, timeout);
	for (unsigned int i = 0; ready > 0 && i < count; i++) {
		if (watched[i].is_invalid)
			ready = -EBADF;
	}
	if (ready >= 0) {
		empty(in);
		empty(out);
		empty(except);
	}
	for (unsigned int i = 0; ready > 0 && i < count; i++) {
		if (watched[i].is_in)
			FD_SET(watched[i].fd, in);
		if (watched[i].is_out)
			FD_SET(watched[i].fd, out);
	}
	free(watched);
	return ready < 0 ? failed(-ready) : ready;
}

int select(int most, fd_set *restrict in, fd_set *restrict out, fd_set *restrict except, struct timeval *restrict timeout)
{
	(void)most;
	if (!timeout)
		return wait_for(in, out, except, -1);
	if (timeout->tv_sec < 0 || timeout->tv_usec < 0)
		return failed(EINVAL);
	const struct timespec time = {
		.tv_sec = timeout->tv_sec + timeout->tv_usec / 1000000, .tv_nsec = timeout->tv_usec % 1000000 * 1000,
	};
	const int64_t end = wb_end_of(wb_from_timespec(&time));
	int ready = wait_for(in, out, except, wb_from_timespec(&time));
	int64_t left = wb_left_until(end);

	// As Linux does: what was not slept.
	if (left >= 0)
		*timeout = (struct timeval){ .tv_sec = left / 1000000000, .tv_usec = left % 1000000000 / 1000 };
	return ready;
}

int pselect(int most, fd_set *restrict in, fd_set *restrict out, fd_set *restrict except, const struct timespec *restrict timeout,
	    const sigset_t *restrict mask)
{
	uint64_t before;
	int ready;

	(void)most;
	if (timeout && (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec > 999999999))
		return failed(EINVAL);
	before = wb_signal_mask(mask ? mask->__bits : wb_signals_blocked());
	ready = wait_for(in, out, except, wb_from_timespec(timeout));
	wb_signal_mask(before);
	return ready;
}
