// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// alarm() and setitimer(): SIGALRM when the time has come, noticed by whoever waits or calls the library.
#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include "waits/stop.h"

// When it goes off (0: not at all) and how long after that again (0: not again).
static int64_t next, interval;

static int64_t left(void)
{
	int64_t now;

	if (!next)
		return -1;
	now = wb_now();
	if (next > now)
		return next - now;
	wb_signal_post(SIGALRM);
	// What was missed is one signal, as it is of the kernel's.
	next = interval ? next + ((now - next) / interval + 1) * interval : 0;
	return next ? next - now : -1;
}

// Sets the timer, in nanoseconds; returns what was left of the one before, 0 if there was none.
static int64_t set(int64_t first, int64_t then)
{
	int64_t before = left(), now = wb_now();

	wb_timer_left = left;
	interval = then;
	next = !first ? 0 : first > INT64_MAX - now ? INT64_MAX : now + first;
	return before < 0 ? 0 : before;
}

unsigned int alarm(unsigned int seconds)
{
	int64_t before = set(seconds * 1000000000ll, 0);

	// To the nearest second, but 0 means that there was none.
	return before && before < 1000000000 ? 1 : (before + 500000000) / 1000000000;
}

useconds_t ualarm(useconds_t first, useconds_t then)
{
	return set(first * 1000ll, then * 1000ll) / 1000;
}

static bool is_time(const struct timeval *time)
{
	return time->tv_sec >= 0 && time->tv_usec >= 0 && time->tv_usec < 1000000;
}

static int64_t in_ns(const struct timeval *time)
{
	const int64_t most = INT64_MAX / 1000000000 - 1;

	return (time->tv_sec < most ? time->tv_sec : most) * 1000000000ll + time->tv_usec * 1000ll;
}

// A timer that is about to go off is not shown as one that is off.
static struct timeval from_ns(int64_t ns)
{
	return (struct timeval){ .tv_sec = ns / 1000000000, .tv_usec = ns && ns < 1000 ? 1 : ns % 1000000000 / 1000 };
}

int getitimer(int which, struct itimerval *value)
{
	int64_t now;

	if (which != ITIMER_REAL) {
		errno = EINVAL;
		return -1;
	}
	now = left();
	*value = (struct itimerval){ .it_interval = from_ns(interval), .it_value = from_ns(now < 0 ? 0 : now) };
	return 0;
}

int setitimer(int which, const struct itimerval *restrict value, struct itimerval *restrict old)
{
	const struct itimerval off = {};

	if (!value)
		value = &off;
	if (which != ITIMER_REAL || !is_time(&value->it_value) || !is_time(&value->it_interval)) {
		errno = EINVAL;
		return -1;
	}
	if (old)
		getitimer(which, old);
	set(in_ns(&value->it_value), in_ns(&value->it_interval));
	return 0;
}
