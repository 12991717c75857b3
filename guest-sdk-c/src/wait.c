// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The one place where the library waits, and the waits of libc that are made of it.
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "errors.h"
#include "globals.h"
#include "stop.h"

#define MAX_POLLABLES 62

int64_t wb_wait(const wasi_io_poll_borrow_pollable_t *pollables, unsigned int count, int64_t timeout)
{
	wasi_io_poll_borrow_pollable_t all[MAX_POLLABLES + 2];
	wasi_io_poll_own_pollable_t timer = {}, stop = {};
	wasi_io_poll_list_borrow_pollable_t list = { all, 0 };
	wasm_bpf_list_u32_t ready;
	int64_t result = 0;

	if (count > MAX_POLLABLES)
		return wb_refuse(EINVAL, "one wait is for at most %d things", MAX_POLLABLES);
	// What came before the wait ends it, as a signal that was pending would.
	if (wb_stop_check())
		return -EINTR;
	WB_CALL;
	for (unsigned int i = 0; i < count; i++)
		all[list.len++] = pollables[i];
	if (!wb_stop_is_known()) {
		stop = wasm_bpf_bpf_lifecycle_subscribe_stop();
		all[list.len++] = wasi_io_poll_borrow_pollable(stop);
	}
	// A stop has come before, and there is nothing to wait for: that is for ever, and a list of nothing is not allowed.
	if (timeout < 0 && !list.len)
		timeout = INT64_MAX;
	if (timeout >= 0) {
		timer = wasi_clocks_monotonic_clock_subscribe_duration(timeout);
		all[list.len++] = wasi_io_poll_borrow_pollable(timer);
	}
	wasi_io_poll_poll(&list, &ready);
	for (size_t i = 0; i < ready.len; i++) {
		if (ready.ptr[i] < count)
			result |= 1ll << ready.ptr[i];
	}
	wasm_bpf_list_u32_free(&ready);
	if (timer.__handle)
		wasi_io_poll_pollable_drop_own(timer);
	if (stop.__handle)
		wasi_io_poll_pollable_drop_own(stop);
	// What is ready is told first: the handler has its turn with the next wait.
	if (!result && wb_stop_check())
		result = -EINTR;
	return result;
}

static int64_t now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * 1000000000ll + time.tv_nsec;
}

// Sleeps until the monotonic clock shows this: 0, or what is left when a handler ran.
static int64_t sleep_until(int64_t end)
{
	for (;;) {
		int64_t left = end - now(CLOCK_MONOTONIC);

		if (left <= 0)
			left = 0;
		if (wb_wait(NULL, 0, left) == -EINTR) {
			left = end - now(CLOCK_MONOTONIC);
			return left > 0 ? left : 1;
		}
		if (!left || now(CLOCK_MONOTONIC) >= end)
			return 0;
	}
}

static int sleep_for(int64_t time, struct timespec *left)
{
	int64_t rest = sleep_until(now(CLOCK_MONOTONIC) + time);

	if (!rest)
		return 0;
	if (left)
		*left = (struct timespec){ .tv_sec = rest / 1000000000, .tv_nsec = rest % 1000000000 };
	errno = EINTR;
	return -1;
}

static bool is_time(const struct timespec *time)
{
	return time->tv_sec >= 0 && time->tv_nsec >= 0 && time->tv_nsec < 1000000000;
}

// Longer than 100 years is for ever: it is not to overflow.
static int64_t in_ns(const struct timespec *time)
{
	const int64_t most = 100ll * 366 * 86400;

	return (time->tv_sec < most ? time->tv_sec : most) * 1000000000ll + time->tv_nsec;
}

int __wrap_nanosleep(const struct timespec *time, struct timespec *left);
int __wrap_nanosleep(const struct timespec *time, struct timespec *left)
{
	if (!is_time(time)) {
		errno = EINVAL;
		return -1;
	}
	return sleep_for(in_ns(time), left);
}

int __wrap_clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left);
int __wrap_clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left)
{
	int64_t length;

	if (!is_time(time))
		return EINVAL;
	length = in_ns(time);
	if (flags & TIMER_ABSTIME) {
		length -= now(clock);
		left = NULL;
	}
	return length > 0 && sleep_for(length, left) ? EINTR : 0;
}

unsigned int __wrap_sleep(unsigned int seconds);
unsigned int __wrap_sleep(unsigned int seconds)
{
	struct timespec left = {};

	return sleep_for(seconds * 1000000000ll, &left) ? left.tv_sec + !!left.tv_nsec : 0;
}

int __wrap_usleep(useconds_t microseconds);
int __wrap_usleep(useconds_t microseconds)
{
	return sleep_for(microseconds * 1000ll, NULL);
}

int pause(void);
int pause(void)
{
	while (wb_wait(NULL, 0, -1) != -EINTR)
		;
	errno = EINTR;
	return -1;
}
