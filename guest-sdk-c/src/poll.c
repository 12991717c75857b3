// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// poll() and select(), over the descriptors of this library, too.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/select.h>

#include "errors.h"
#include "ready.h"

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	struct wb_watched *watched = calloc(count ? count : 1, sizeof(*watched));
	int ready;

	if (!watched) {
		errno = ENOMEM;
		return -1;
	}
	for (nfds_t i = 0; i < count; i++) {
		watched[i].fd = fds[i].fd;
		watched[i].in = fds[i].events & (POLLIN | POLLRDNORM);
		watched[i].out = fds[i].events & (POLLOUT | POLLWRNORM);
	}
	ready = wb_wait_ready(watched, count, timeout);
	for (nfds_t i = 0; i < count; i++) {
		fds[i].revents = 0;
		// A negative number is passed over.
		if (ready < 0 || fds[i].fd < 0)
			continue;
		if (watched[i].is_in)
			fds[i].revents |= fds[i].events & (POLLIN | POLLRDNORM);
		if (watched[i].is_out)
			fds[i].revents |= fds[i].events & (POLLOUT | POLLWRNORM);
		if (watched[i].is_invalid)
			fds[i].revents = POLLNVAL;
	}
	free(watched);
	if (ready < 0) {
		errno = -ready;
		return -1;
	}
	ready = 0;
	for (nfds_t i = 0; i < count; i++)
		ready += fds[i].revents != 0;
	return ready;
}

static bool has(const fd_set *set, size_t index, int *fd)
{
	if (!set || index >= set->__nfds)
		return false;
	*fd = set->__fds[index];
	return true;
}

// The time in milliseconds, rounded up: waiting longer than asked is allowed, shorter is not.
static int in_ms(const struct timeval *time)
{
	if (!time)
		return -1;
	if (time->tv_sec > INT32_MAX / 1000 - 1)
		return INT32_MAX;
	return time->tv_sec * 1000 + (time->tv_usec + 999) / 1000;
}

int __wrap_select(int most, fd_set *restrict in, fd_set *restrict out, fd_set *restrict except, struct timeval *restrict timeout);
int __wrap_select(int most, fd_set *restrict in, fd_set *restrict out, fd_set *restrict except, struct timeval *restrict timeout)
{
	const size_t ins = in ? in->__nfds : 0, outs = out ? out->__nfds : 0;
	struct wb_watched *watched = calloc(ins + outs + 1, sizeof(*watched));
	unsigned int count = 0;
	int ready, fd;

	(void)most;
	if (!watched) {
		errno = ENOMEM;
		return -1;
	}
	for (size_t i = 0; has(in, i, &fd); i++)
		watched[count++] = (struct wb_watched){ .fd = fd, .in = true };
	for (size_t i = 0; has(out, i, &fd); i++)
		watched[count++] = (struct wb_watched){ .fd = fd, .out = true };
	ready = wb_wait_ready(watched, count, in_ms(timeout));
	for (unsigned int i = 0; ready > 0 && i < count; i++) {
		if (watched[i].is_invalid)
			ready = -EBADF;
	}
	if (ready >= 0) {
		if (in)
			FD_ZERO(in);
		if (out)
			FD_ZERO(out);
		if (except)
			FD_ZERO(except);
		for (unsigned int i = 0; i < count; i++) {
			if (watched[i].is_in)
				FD_SET(watched[i].fd, in);
			if (watched[i].is_out)
				FD_SET(watched[i].fd, out);
		}
	}
	free(watched);
	if (ready >= 0)
		return ready;
	errno = -ready;
	return -1;
}
