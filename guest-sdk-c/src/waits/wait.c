// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The one place where the library waits, and the waits of libc that are made of it.
#include <errno.h>
#include <time.h>
#include <unistd.h>

#include "errors.h"
#include "globals.h"
#include "waits/stop.h"

int64_t wb_now(void)
{
	return wasi_clocks_monotonic_clock_now();
}

int64_t wb_end_of(int64_t timeout)
{
	const int64_t begin = timeout < 0 ? 0 : wb_now();

	return timeout < 0 || timeout > INT64_MAX - begin ? -1 : begin + timeout;
}

int64_t wb_left_until(int64_t end)
{
	int64_t left;

	if (end < 0)
		return -1;
	left = end - wb_now();
	return left > 0 ? left : 0;
}

#define RETRY_NS 2000000

static int64_t sooner(int64_t one, int64_t other)
{
	return one < 0 || (other >= 0 && other < one) ? other : one;
}

int64_t wb_turn_of(int64_t left)
{
	if (wb_timer_left)
		left = sooner(left, wb_timer_left());
	if (wb_retry)
		wb_retry();
	return wb_retry ? sooner(left, RETRY_NS) : left;
}

uint64_t wb_wait_once(const wasi_io_poll_borrow_pollable_t *pollables, unsigned int count, int64_t timeout)
{
	wasi_io_poll_borrow_pollable_t all[WB_MOST_POLLABLES + 2];
	wasi_io_poll_own_pollable_t timer = {}, stop = {};
	wasi_io_poll_list_borrow_pollable_t list = { all, 0 };
	wasm_bpf_list_u32_t ready;
	uint64_t result = 0;

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
			result |= 1ull << ready.ptr[i];
	}
	wasm_bpf_list_u32_free(&ready);
	if (timer.__handle)
		wasi_io_poll_pollable_drop_own(timer);
	if (stop.__handle)
		wasi_io_poll_pollable_drop_own(stop);
	return result;
}

int64_t wb_wait(const wasi_io_poll_borrow_pollable_t *pollables, unsigned int count, int64_t timeout)
{
	const int64_t end = timeout > 0 ? wb_end_of(timeout) : -1;

	if (count > WB_MOST_POLLABLES)
		return wb_refuse(EINVAL, "one wait is for at most %d things", WB_MOST_POLLABLES);
	// What came before the wait ends it, as a signal that was pending would.
	if (wb_stop_check() && timeout)
		return -EINTR;
	WB_CALL;
	for (;;) {
		int64_t left = timeout ? wb_left_until(end) : 0;
		const uint64_t before = wb_signals_pending();
		uint64_t ready;
		bool ran;

		// Who does not wait, for nothing, asks nobody.
		ready = left || count ? wb_wait_once(pollables, count, left ? wb_turn_of(left) : 0) : 0;
		ran = wb_stop_check();
		if (ready)
			return ready;
		if (ran && timeout)
			return -EINTR;
		if (wb_signals_pending() & ~before)
			return WB_SIGNAL_PENDING;
		if (!left)
			return 0;
	}
}

static int64_t now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * 1000000000ll + time.tv_nsec;
}

// 0, or what is left when a handler ran.
static int64_t sleep_through(int64_t time)
{
	const int64_t end = wb_end_of(time);
	int64_t left = time, waited;

	do {
		waited = wb_wait(NULL, 0, left);
		left = wb_left_until(end);
	} while (waited > 0);
	if (!waited)
		return 0;
	return left ? left : 1;
}

static int sleep_for(int64_t time, struct timespec *left)
{
	int64_t rest = sleep_through(time);

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

	return sleep_for(seconds * 1000000000ll, &left) ? left.tv_sec : 0;
}

int __wrap_usleep(useconds_t microseconds);
int __wrap_usleep(useconds_t microseconds)
{
	return sleep_for(microseconds * 1000ll, NULL);
}
