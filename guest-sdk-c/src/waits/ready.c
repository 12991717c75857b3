// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "waits/ready.h"

#include <errno.h>
#include <time.h>

#include "descriptors.h"
#include "errors.h"
#include "preview1/files.h"
#include "waits/stop.h"

// What is waited for together, and what it makes ready.
struct wb_waits {
	wasi_io_poll_own_pollable_t own[WB_MOST_POLLABLES];
	wasi_io_poll_borrow_pollable_t handles[WB_MOST_POLLABLES];
	bool *ready[WB_MOST_POLLABLES];
	unsigned int count;
};

// One that stays whose it is.
static int add_lasting(struct wb_waits *waits, bool *ready, wasi_io_poll_borrow_pollable_t handle)
{
	if (!handle.__handle)
		return -errno;
	if (waits->count == WB_MOST_POLLABLES)
		return wb_refuse(EINVAL, "one wait is for at most %d descriptors", WB_MOST_POLLABLES);
	waits->own[waits->count] = (wasi_io_poll_own_pollable_t){};
	waits->handles[waits->count] = handle;
	waits->ready[waits->count++] = ready;
	return 0;
}

static int add(struct wb_waits *waits, bool *ready, wasi_io_poll_own_pollable_t own)
{
	int err = add_lasting(waits, ready, wasi_io_poll_borrow_pollable(own));

	if (!err)
		waits->own[waits->count - 1] = own;
	else if (own.__handle)
		wasi_io_poll_pollable_drop_own(own);
	return err;
}

static void mark(bool *ready)
{
	if (ready)
		*ready = true;
}

// What can be waited for of a descriptor of ours. Those that nothing is written to never are ready for it; those that can be waited for
// in no way always are.
static int watch_ours(struct wb_waits *waits, const struct wb_operations *operations, void *it, bool *in, bool *out)
{
	int err = 0;

	if (operations->watch)
		return in ? operations->watch(it, waits, in) : 0;
	if (!operations->subscribe && !operations->pollable) {
		mark(in);
		mark(out);
		return 0;
	}
	if (in && operations->is_ready && operations->is_ready(it))
		mark(in);
	else if (in && operations->pollable)
		err = add_lasting(waits, in, operations->pollable(it));
	else if (in)
		err = add(waits, in, operations->subscribe(it));
	if (!err && out && operations->subscribe_write)
		err = add(waits, out, operations->subscribe_write(it));
	return err;
}

// The three of every program, and files that are read as they come.
static int watch_stream(struct wb_waits *waits, struct wb_file *file, int fd, bool *in, bool *out)
{
	if (file->kind == WB_FILE_OUTPUT)
		return out ? add(waits, out, wasi_io_streams_method_output_stream_subscribe(wb_output_of(file, fd))) : 0;
	return in ? add(waits, in, wasi_io_streams_method_input_stream_subscribe(wb_input_of(file))) : 0;
}

int wb_watch(struct wb_waits *waits, int fd, bool *in, bool *out)
{
	const struct wb_operations *operations = NULL;
	void *it = wb_descriptor_any(fd, &operations);
	struct wb_file *file = it ? NULL : wb_file_at(fd);

	if (it)
		return watch_ours(waits, operations, it, in, out);
	if (!file)
		return -EBADF;
	if (file->kind != WB_FILE_OPEN || file->input.__handle)
		return watch_stream(waits, file, fd, in, out);
	// Files are always ready.
	mark(in);
	mark(out);
	return 0;
}

static void finish(struct wb_waits *waits)
{
	for (unsigned int i = 0; i < waits->count; i++) {
		if (waits->own[i].__handle)
			wasi_io_poll_pollable_drop_own(waits->own[i]);
	}
}

static int count_ready(const struct wb_watched *watched, unsigned int count)
{
	int ready = 0;

	for (unsigned int i = 0; i < count; i++)
		ready += watched[i].is_in || watched[i].is_out || watched[i].is_invalid;
	return ready;
}

static int prepare(struct wb_waits *waits, struct wb_watched *watched)
{
	int err;

	watched->is_in = watched->is_out = watched->is_invalid = false;
	err = wb_watch(waits, watched->fd, watched->in ? &watched->is_in : NULL, watched->out ? &watched->is_out : NULL);
	if (err != -EBADF)
		return err;
	watched->is_invalid = true;
	return 0;
}

// 0, also when it ended for what may have changed what descriptors say, or a negative errno.
static int wait_once(struct wb_watched *watched, unsigned int count, int64_t timeout)
{
	struct wb_waits waits = {};
	int64_t ready = 0;
	int err = 0;

	for (unsigned int i = 0; !err && i < count; i++)
		err = prepare(&waits, &watched[i]);
	if (!err) {
		// What is ready already is told at once, with whatever else is.
		ready = wb_wait(waits.handles, waits.count, count_ready(watched, count) ? 0 : timeout);
		err = ready < 0 ? (int)ready : 0;
	}
	for (unsigned int i = 0; !err && i < waits.count; i++) {
		if (ready & (1ll << i))
			mark(waits.ready[i]);
	}
	finish(&waits);
	return err;
}

int wb_wait_ready(struct wb_watched *watched, unsigned int count, int64_t timeout)
{
	const int64_t end = timeout > 0 ? wb_end_of(timeout) : -1;

	for (;;) {
		int64_t left = timeout ? wb_left_until(end) : 0;
		int err = wait_once(watched, count, left), ready;

		if (err)
			return err;
		ready = count_ready(watched, count);
		if (ready || !left)
			return ready;
	}
}

int64_t wb_from_ms(int ms)
{
	return ms < 0 ? -1 : ms * 1000000ll;
}

int64_t wb_from_timespec(const struct timespec *time)
{
	if (!time || time->tv_sec >= INT64_MAX / 1000000000 - 1)
		return -1;
	return time->tv_sec * 1000000000ll + time->tv_nsec;
}
