// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Clocks, and waiting for them and for files.
#include <stdlib.h>
#include <string.h>

#include "files.h"

#define SECOND 1000000000ULL

static uint64_t nanoseconds(const wasi_clocks_wall_clock_datetime_t *time)
{
	return time->seconds * SECOND + time->nanoseconds;
}

int32_t P1(clock_time_get)(int32_t clock, int64_t precision, __wasi_timestamp_t *time)
{
	wasi_clocks_wall_clock_datetime_t now;

	(void)precision;
	switch (clock) {
	case __WASI_CLOCKID_REALTIME:
		wasi_clocks_wall_clock_now(&now);
		*time = nanoseconds(&now);
		return __WASI_ERRNO_SUCCESS;
	case __WASI_CLOCKID_MONOTONIC:
		*time = wasi_clocks_monotonic_clock_now();
		return __WASI_ERRNO_SUCCESS;
	default:
		return __WASI_ERRNO_INVAL;
	}
}

int32_t P1(clock_res_get)(int32_t clock, __wasi_timestamp_t *time)
{
	wasi_clocks_wall_clock_datetime_t resolution;

	switch (clock) {
	case __WASI_CLOCKID_REALTIME:
		wasi_clocks_wall_clock_resolution(&resolution);
		*time = nanoseconds(&resolution);
		return __WASI_ERRNO_SUCCESS;
	case __WASI_CLOCKID_MONOTONIC:
		*time = wasi_clocks_monotonic_clock_resolution();
		return __WASI_ERRNO_SUCCESS;
	default:
		return __WASI_ERRNO_INVAL;
	}
}

static int32_t subscribe_clock(const __wasi_subscription_clock_t *clock, wasi_io_poll_own_pollable_t *pollable)
{
	uint64_t wait = clock->timeout;
	__wasi_timestamp_t now;
	int32_t error;

	if (clock->flags & __WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME) {
		error = P1(clock_time_get)(clock->id, 0, &now);
		if (error)
			return error;
		wait = clock->timeout > now ? clock->timeout - now : 0;
	} else if (clock->id != __WASI_CLOCKID_REALTIME && clock->id != __WASI_CLOCKID_MONOTONIC) {
		return __WASI_ERRNO_INVAL;
	}
	*pollable = wasi_clocks_monotonic_clock_subscribe_duration(wait);
	return __WASI_ERRNO_SUCCESS;
}

// What is not a stream is always ready: a wait of no time.
static int32_t subscribe_file(int fd, bool to_read, wasi_io_poll_own_pollable_t *pollable)
{
	struct wb_file *file = wb_file_at(fd);

	if (!file)
		return __WASI_ERRNO_BADF;
	if (to_read && file->kind == WB_FILE_INPUT)
		*pollable = wasi_io_streams_method_input_stream_subscribe(wb_input_of(file));
	else
		*pollable = wasi_clocks_monotonic_clock_subscribe_duration(0);
	return __WASI_ERRNO_SUCCESS;
}

static int32_t subscribe(const __wasi_subscription_t *to, wasi_io_poll_own_pollable_t *pollable)
{
	switch (to->u.tag) {
	case __WASI_EVENTTYPE_CLOCK:
		return subscribe_clock(&to->u.u.clock, pollable);
	case __WASI_EVENTTYPE_FD_READ:
		return subscribe_file(to->u.u.fd_read.file_descriptor, true, pollable);
	case __WASI_EVENTTYPE_FD_WRITE:
		return subscribe_file(to->u.u.fd_write.file_descriptor, false, pollable);
	default:
		return __WASI_ERRNO_INVAL;
	}
}

int32_t P1(poll_oneoff)(const __wasi_subscription_t *subscriptions, __wasi_event_t *events, __wasi_size_t count, __wasi_size_t *happened)
{
	wasi_io_poll_borrow_pollable_t *pollables = calloc(count, sizeof(*pollables));
	__wasi_size_t subscribed, ready = 0;
	int32_t error = __WASI_ERRNO_SUCCESS;
	wasm_bpf_list_u32_t list;

	*happened = 0;
	if (!count || !pollables) {
		free(pollables);
		return count ? __WASI_ERRNO_NOMEM : __WASI_ERRNO_INVAL;
	}
	for (subscribed = 0; subscribed < count; subscribed++) {
		wasi_io_poll_own_pollable_t pollable;

		error = subscribe(&subscriptions[subscribed], &pollable);
		if (error)
			break;
		pollables[subscribed] = wasi_io_poll_borrow_pollable(pollable);
	}
	// What cannot be waited for is an event of its own, and nothing is waited for.
	if (error) {
		events[0] = (__wasi_event_t){ .userdata = subscriptions[subscribed].userdata, .error = error, .type = subscriptions[subscribed].u.tag };
		*happened = 1;
	} else {
		wasi_io_poll_list_borrow_pollable_t all = { pollables, count };

		wasi_io_poll_poll(&all, &list);
		for (size_t i = 0; i < list.len; i++) {
			const __wasi_subscription_t *to = &subscriptions[list.ptr[i]];

			events[ready] = (__wasi_event_t){ .userdata = to->userdata, .type = to->u.tag };
			events[ready].fd_readwrite.nbytes = 1;
			ready++;
		}
		*happened = ready;
		wasm_bpf_list_u32_free(&list);
	}
	for (__wasi_size_t i = 0; i < subscribed; i++)
		wasi_io_poll_pollable_drop_own((wasi_io_poll_own_pollable_t){ pollables[i].__handle });
	free(pollables);
	return __WASI_ERRNO_SUCCESS;
}
