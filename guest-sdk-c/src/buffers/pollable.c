// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "pollable.h"

#include <stdlib.h>

#include "descriptors.h"
#include "errors.h"

struct pollable {
	wasi_io_poll_own_pollable_t (*subscribe)(const void *buffer);
	bool (*has_records)(const void *buffer);
	const void *buffer;
	// Made by the first wait, and kept: each costs the host descriptors.
	wasi_io_poll_own_pollable_t own;
};

static wasi_io_poll_borrow_pollable_t lasting(void *it)
{
	struct pollable *pollable = it;

	if (!pollable->own.__handle)
		pollable->own = pollable->subscribe(pollable->buffer);
	return wasi_io_poll_borrow_pollable(pollable->own);
}

static void forget(struct pollable *pollable)
{
	if (pollable->own.__handle)
		wasi_io_poll_pollable_drop_own(pollable->own);
	pollable->own = (wasi_io_poll_own_pollable_t){};
}

static void release(void *it)
{
	forget(it);
	free(it);
}

static bool is_ready(const void *it)
{
	const struct pollable *pollable = it;

	return pollable->has_records(pollable->buffer);
}

static const struct wb_operations operations = { .kind = WB_BUFFER, .release = release, .pollable = lasting, .is_ready = is_ready };

int wb_pollable_descriptor(wasi_io_poll_own_pollable_t (*subscribe)(const void *buffer), bool (*has_records)(const void *buffer),
			   const void *buffer)
{
	struct pollable *pollable = malloc(sizeof(*pollable));

	if (!pollable)
		return wb_no_memory();
	*pollable = (struct pollable){ .subscribe = subscribe, .has_records = has_records, .buffer = buffer };
	return wb_descriptor_new(&operations, pollable);
}

void wb_pollable_changed(int fd)
{
	struct pollable *pollable = wb_descriptor_get(fd, WB_BUFFER);

	if (pollable)
		forget(pollable);
}
