// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>

#include "descriptors.h"
#include "errors.h"
#include "waits/stop.h"

// In the time of waits. `next` is 0 while it is off.
struct timer {
	clockid_t clock;
	int64_t next, interval;
	// How often it went off since that was last read.
	uint64_t count;
	bool nonblocking;
};

static void catch_up(struct timer *timer)
{
	int64_t now = wb_now(), missed;

	if (!timer->next || now < timer->next)
		return;
	missed = timer->interval ? (now - timer->next) / timer->interval + 1 : 1;
	timer->count += missed;
	timer->next = timer->interval ? timer->next + missed * timer->interval : 0;
}

static bool is_ready(const void *it)
{
	struct timer *timer = (struct timer *)it;

	catch_up(timer);
	return timer->count > 0;
}

// One that is off is never ready: a time that never comes.
static wasi_io_poll_own_pollable_t subscribe(void *it)
{
	const struct timer *timer = it;

	return wasi_clocks_monotonic_clock_subscribe_instant(timer->next ? (uint64_t)timer->next : INT64_MAX);
}

static long read_count(void *it, void *buffer, unsigned long length)
{
	struct timer *timer = it;

	if (length < sizeof(timer->count))
		return -EINVAL;
	while (!is_ready(timer)) {
		wasi_io_poll_own_pollable_t own;
		wasi_io_poll_borrow_pollable_t handle;
		int64_t waited;

		if (timer->nonblocking)
			return -EAGAIN;
		own = subscribe(timer);
		handle = wasi_io_poll_borrow_pollable(own);
		waited = wb_wait(&handle, 1, -1);
		wasi_io_poll_pollable_drop_own(own);
		if (waited == -EINTR && !wb_stop_restarts())
			return -EINTR;
	}
	memcpy(buffer, &timer->count, sizeof(timer->count));
	timer->count = 0;
	return sizeof(timer->count);
}

static bool *nonblocking(void *it)
{
	struct timer *timer = it;

	return &timer->nonblocking;
}

static const struct wb_operations operations = {
	.kind = WB_TIMER, .release = free, .read = read_count, .subscribe = subscribe, .is_ready = is_ready, .nonblocking = nonblocking,
};

static int failed(int error)
{
	errno = error;
	return -1;
}

int timerfd_create(clockid_t clock, int flags)
{
	struct timespec now;
	struct timer *timer;
	int fd;

	if (flags & ~(TFD_CLOEXEC | TFD_NONBLOCK) || clock_gettime(clock, &now))
		return failed(EINVAL);
	timer = malloc(sizeof(*timer));
	if (!timer)
		return failed(ENOMEM);
	*timer = (struct timer){ .clock = clock, .nonblocking = flags & TFD_NONBLOCK };
	fd = wb_descriptor_new(&operations, timer);
	return fd < 0 ? failed(-fd) : fd;
}

static bool is_time(const struct timespec *time)
{
	return time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < 1000000000;
}

static int64_t in_ns(const struct timespec *time)
{
	const int64_t most = INT64_MAX / 1000000000 - 1;

	return (time->tv_sec < most ? time->tv_sec : most) * 1000000000ll + time->tv_nsec;
}

static struct timespec from_ns(int64_t ns)
{
	return (struct timespec){ .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
}

int timerfd_gettime(int fd, struct itimerspec *value)
{
	struct timer *timer = wb_descriptor_as(fd, &operations);

	if (!timer)
		return -1;
	catch_up(timer);
	*value = (struct itimerspec){
		.it_interval = from_ns(timer->interval), .it_value = from_ns(timer->next ? timer->next - wb_now() : 0),
	};
	// What is about to go off is not off.
	if (timer->next && value->it_value.tv_sec <= 0 && value->it_value.tv_nsec <= 0)
		value->it_value = (struct timespec){ .tv_nsec = 1 };
	return 0;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
	struct timer *timer = wb_descriptor_as(fd, &operations);
	const struct itimerspec wanted = *value;
	struct timespec now;
	int64_t first;

	if (!timer)
		return -1;
	if (flags & ~TFD_TIMER_ABSTIME || !is_time(&wanted.it_value) || !is_time(&wanted.it_interval))
		return failed(EINVAL);
	if (old)
		timerfd_gettime(fd, old);
	first = in_ns(&wanted.it_value);
	timer->interval = in_ns(&wanted.it_interval);
	timer->count = 0;
	timer->next = 0;
	if (!first)
		return 0;
	if (flags & TFD_TIMER_ABSTIME) {
		clock_gettime(timer->clock, &now);
		first -= in_ns(&now);
	}
	timer->next = wb_end_of(first > 0 ? first : 0);
	if (timer->next < 0)
		timer->next = INT64_MAX;
	return 0;
}
