// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// poll() and ppoll(), over the descriptors of this library, too.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#include "waits/ready.h"
#include "waits/stop.h"

static int failed(int error)
{
	errno = error;
	return -1;
}

static short told(const struct pollfd *fd, const struct wb_watched *watched)
{
	short events = 0;

	if (watched->is_invalid)
		return POLLNVAL;
	if (watched->is_in)
		events |= POLLIN | POLLRDNORM;
	if (watched->is_out)
		events |= POLLOUT | POLLWRNORM;
	return events & fd->events;
}

static int wait_for(struct pollfd *fds, nfds_t count, int64_t timeout)
{
	struct wb_watched *watched = calloc(count ? count : 1, sizeof(*watched));
	unsigned int used = 0;
	int ready;

	if (!watched)
		return failed(ENOMEM);
	for (nfds_t i = 0; i < count; i++) {
		fds[i].revents = 0;
		// A negative number is passed over.
		if (fds[i].fd < 0)
			continue;
		watched[used++] = (struct wb_watched){
			.fd = fds[i].fd, .in = fds[i].events & (POLLIN | POLLRDNORM), .out = fds[i].events & (POLLOUT | POLLWRNORM),
		};
	}
	ready = wb_wait_ready(watched, used, timeout);
	used = 0;
	for (nfds_t i = 0; ready > 0 && i < count; i++) {
		if (fds[i].fd >= 0)
			fds[i].revents = told(&fds[i], &watched[used++]);
	}
	free(watched);
	return ready < 0 ? failed(-ready) : ready;
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	return wait_for(fds, count, wb_from_ms(timeout));
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
	uint64_t before;
	int ready;

	if (timeout && (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec > 999999999))
		return failed(EINVAL);
	before = wb_signal_mask(mask ? mask->__bits : wb_signals_blocked());
	ready = wait_for(fds, count, wb_from_timespec(timeout));
	wb_signal_mask(before);
	return ready;
}
