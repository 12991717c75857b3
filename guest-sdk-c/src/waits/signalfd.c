// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>

#include "descriptors.h"
#include "waits/stop.h"

struct signals {
	uint64_t set;
	bool nonblocking;
};

static int watch(void *it, struct wb_waits *waits, bool *in)
{
	const struct signals *signals = it;

	// Nothing is to be waited for: a signal that comes ends each wait.
	(void)waits;
	*in |= (wb_signals_now() & signals->set) != 0;
	return 0;
}

static long read_signals(void *it, void *buffer, unsigned long length)
{
	const struct signals *signals = it;
	struct signalfd_siginfo *infos = buffer;
	unsigned long count = 0;

	if (length < sizeof(*infos))
		return -EINVAL;
	while (!(wb_signals_now() & signals->set)) {
		if (signals->nonblocking)
			return -EAGAIN;
		if (wb_wait(NULL, 0, -1) == -EINTR && !wb_stop_restarts())
			return -EINTR;
	}
	for (; (count + 1) * sizeof(*infos) <= length; count++) {
		struct signalfd_siginfo info = { .ssi_signo = wb_signal_take(signals->set), .ssi_code = SI_USER };

		if (!info.ssi_signo)
			break;
		memcpy(&infos[count], &info, sizeof(info));
	}
	return count * sizeof(*infos);
}

static bool *nonblocking(void *it)
{
	struct signals *signals = it;

	return &signals->nonblocking;
}

static const struct wb_operations operations = {
	.kind = WB_SIGNALS, .release = free, .read = read_signals, .watch = watch, .nonblocking = nonblocking,
};

int signalfd(int fd, const sigset_t *mask, int flags)
{
	struct signals *signals;

	if (flags & ~(SFD_CLOEXEC | SFD_NONBLOCK)) {
		errno = EINVAL;
		return -1;
	}
	if (fd != -1) {
		signals = wb_descriptor_as(fd, &operations);
		if (!signals)
			return -1;
		signals->set = mask->__bits;
		return fd;
	}
	signals = malloc(sizeof(*signals));
	if (!signals) {
		errno = ENOMEM;
		return -1;
	}
	*signals = (struct signals){ .set = mask->__bits, .nonblocking = flags & SFD_NONBLOCK };
	fd = wb_descriptor_new(&operations, signals);
	return fd < 0 ? -1 : fd;
}
