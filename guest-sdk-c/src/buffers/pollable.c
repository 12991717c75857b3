// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "pollable.h"

#include <stdlib.h>

#include "descriptors.h"
#include "errors.h"

struct pollable {
	wasi_io_poll_own_pollable_t (*subscribe)(const void *buffer);
	bool (*has_records)(const void *buffer);
	const void *buffer;
};

static wasi_io_poll_own_pollable_t subscribe(void *it)
{
	const struct pollable *pollable = it;

	return pollable->subscribe(pollable->buffer);
}

static bool is_ready(const void *it)
{
	const struct pollable *pollable = it;

	return pollable->has_records(pollable->buffer);
}

static const struct wb_operations operations = { .kind = WB_BUFFER, .release = free, .subscribe = subscribe, .is_ready = is_ready };

int wb_pollable_descriptor(wasi_io_poll_own_pollable_t (*subscribe_buffer)(const void *buffer), bool (*has_records)(const void *buffer), const void *buffer)
{
	struct pollable *pollable = malloc(sizeof(*pollable));

	if (!pollable)
		return wb_refuse(ENOMEM, "no memory for a descriptor");
	*pollable = (struct pollable){ subscribe_buffer, has_records, buffer };
	return wb_descriptor_new(&operations, pollable);
}
