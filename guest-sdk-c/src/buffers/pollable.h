// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Descriptors of buffers, for poll(), select() and epoll.
#pragma once

#include <stdbool.h>

#include "wasm_bpf.h"

// A descriptor that is ready when `has_records` says so, or what `subscribe` gives is. The buffer has to live as long.
int wb_pollable_descriptor(wasi_io_poll_own_pollable_t (*subscribe)(const void *buffer), bool (*has_records)(const void *buffer),
			   const void *buffer);

// What `subscribe` gives is another one from now on.
void wb_pollable_changed(int fd);
