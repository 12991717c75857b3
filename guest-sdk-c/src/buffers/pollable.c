// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "pollable.h"

#include <stdlib.h>

#include "descriptors.h"
#include "errors.h"

struct pollable {
	wasi_io_poll_own_pollable_t (*subscribe)(void *buffer);
	void *buffer;
};

static wasi_io_poll_own_pollable_t subscribe(void *it)
{
	const struct pollable *pollable = it;

	return pollable->subscribe(pollable->buffer);
}

static const struct wb_operations operations = { .kind = WB_BUFFER, .release = free, .subscribe = subscribe };

int wb_pollable_descriptor(wasi_io_poll_own_pollable_t (*subscribe_buffer)(void *buffer), void *buffer)
{
	struct pollable *pollable = malloc(sizeof(*pollable));

	if (!pollable)
		return wb_refuse(ENOMEM, "no memory for a descriptor");
	*pollable = (struct pollable){ subscribe_buffer, buffer };
	return wb_descriptor_new(&operations, pollable);
}
