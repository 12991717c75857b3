// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "ready.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "descriptors.h"
#include "errors.h"
#include "stop.h"

#define MOST 62

// What is waited for together, and whose it is.
struct waits {
	wasi_io_poll_own_pollable_t own[MOST];
	wasi_io_poll_borrow_pollable_t handles[MOST];
	struct wb_watched *of[MOST];
	bool is_out[MOST]; // whether it is for writing
	unsigned int count;
	// The stream of standard input, as long as its pollable is there.
	wasi_io_streams_own_input_stream_t input;
};

static int add(struct waits *waits, struct wb_watched *watched, bool is_out, wasi_io_poll_own_pollable_t own)
{
	if (!own.__handle)
		return -errno;
	if (waits->count == MOST) {
		wasi_io_poll_pollable_drop_own(own);
		return wb_refuse(EINVAL, "one wait is for at most %d descriptors", MOST);
	}
	waits->own[waits->count] = own;
	waits->handles[waits->count] = wasi_io_poll_borrow_pollable(own);
	waits->is_out[waits->count] = is_out;
	waits->of[waits->count++] = watched;
	return 0;
}

static void mark(struct wb_watched *watched)
{
	watched->is_in = watched->in;
	watched->is_out = watched->out;
}

// What can be waited for of a descriptor of ours. Those that nothing is written to never are ready for it; those that can be waited for in no way always are.
static int prepare_ours(struct waits *waits, struct wb_watched *watched, const struct wb_operations *operations, void *it)
{
	int err = 0;

	if (!operations->subscribe) {
		mark(watched);
		return 0;
	}
	if (watched->in && operations->is_ready && operations->is_ready(it))
		watched->is_in = true;
	else if (watched->in)
		err = add(waits, watched, false, operations->subscribe(it));
	if (!err && watched->out && operations->subscribe_write)
		err = add(waits, watched, true, operations->subscribe_write(it));
	return err;
}

// Adds what has to be waited for; what is always ready is marked.
static int prepare(struct waits *waits, struct wb_watched *watched)
{
	const struct wb_operations *operations = NULL;
	void *it = wb_descriptor_any(watched->fd, &operations);

	watched->is_in = watched->is_out = watched->is_invalid = false;
	if (it)
		return prepare_ours(waits, watched, operations, it);
	if (wb_is_ours(watched->fd) || fcntl(watched->fd, F_GETFD) < 0) {
		watched->is_invalid = true;
		return 0;
	}
	if (watched->fd == STDIN_FILENO && watched->in) {
		if (!waits->input.__handle)
			waits->input = wasi_cli_stdin_get_stdin();
		watched->is_out = watched->out;
		return add(waits, watched, false, wasi_io_streams_method_input_stream_subscribe(wasi_io_streams_borrow_input_stream(waits->input)));
	}
	// Files, and what is written to.
	mark(watched);
	return 0;
}

static void finish(struct waits *waits)
{
	for (unsigned int i = 0; i < waits->count; i++)
		wasi_io_poll_pollable_drop_own(waits->own[i]);
	if (waits->input.__handle)
		wasi_io_streams_input_stream_drop_own(waits->input);
}

static unsigned int count_ready(const struct wb_watched *watched, unsigned int count)
{
	unsigned int ready = 0;

	for (unsigned int i = 0; i < count; i++)
		ready += watched[i].is_in || watched[i].is_out || watched[i].is_invalid;
	return ready;
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ll + time.tv_nsec;
}

int wb_wait_ready(struct wb_watched *watched, unsigned int count, int timeout_ms)
{
	const int64_t end = timeout_ms < 0 ? -1 : now() + timeout_ms * 1000000ll;
	struct waits waits = {};
	int64_t ready = 0;
	int err = 0;

	for (unsigned int i = 0; !err && i < count; i++)
		err = prepare(&waits, &watched[i]);
	while (!err && !ready) {
		// What is ready already is told at once, with whatever else is.
		int64_t left = count_ready(watched, count) ? 0 : end < 0 ? -1 : end - now();

		if (end >= 0 && left < 0)
			left = 0;
		ready = wb_wait(waits.handles, waits.count, left);
		if (!left)
			break;
	}
	if (ready < 0)
		err = ready;
	for (unsigned int i = 0; !err && i < waits.count; i++) {
		if (ready & (1ll << i)) {
			waits.of[i]->is_in |= !waits.is_out[i];
			waits.of[i]->is_out |= waits.is_out[i];
		}
	}
	finish(&waits);
	return err ? err : (int)count_ready(watched, count);
}
