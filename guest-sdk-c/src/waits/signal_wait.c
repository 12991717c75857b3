// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Waiting for signals.
#include <errno.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "waits/stop.h"

int pause(void)
{
	while (wb_wait(NULL, 0, -1) != -EINTR)
		;
	errno = EINTR;
	return -1;
}

int sigsuspend(const sigset_t *mask)
{
	const uint64_t before = wb_signal_mask(mask->__bits);

	pause();
	wb_signal_mask(before);
	return -1;
}

// Takes one of the set, which no handler is run for; 0 when the time was over, -EINTR when the handler of another ran.
static int take(uint64_t set, int64_t timeout)
{
	const int64_t end = wb_end_of(timeout);
	const uint64_t before = wb_signal_mask(wb_signals_blocked() | set);
	int64_t left;
	int sig;

	do {
		sig = wb_signal_take(set);
		left = wb_left_until(end);
		if (!sig && left && wb_wait(NULL, 0, left) == -EINTR)
			sig = -EINTR;
	} while (!sig && left);
	wb_signal_mask(before);
	return sig;
}

int sigtimedwait(const sigset_t *restrict set, siginfo_t *restrict info, const struct timespec *restrict timeout)
{
	const int64_t most = 100ll * 366 * 86400;
	int sig;

	if (timeout && (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec > 999999999)) {
		errno = EINVAL;
		return -1;
	}
	sig = take(set->__bits, timeout && timeout->tv_sec < most ? timeout->tv_sec * 1000000000ll + timeout->tv_nsec : -1);
	if (sig <= 0) {
		errno = sig ? -sig : EAGAIN;
		return -1;
	}
	if (info)
		*info = (siginfo_t){ .si_signo = sig, .si_code = SI_USER };
	return sig;
}

int sigwaitinfo(const sigset_t *restrict set, siginfo_t *restrict info)
{
	return sigtimedwait(set, info, NULL);
}

int sigwait(const sigset_t *restrict set, int *restrict sig)
{
	int got;

	// A handler of another signal does not end it.
	do {
		got = take(set->__bits, -1);
	} while (got <= 0);
	*sig = got;
	return 0;
}
