// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Descriptors of buffers, for poll(), select() and epoll.
#pragma once

#include "wasm_bpf.h"

// A descriptor that is ready when what `subscribe` gives is. The buffer has to live as long.
int wb_pollable_descriptor(wasi_io_poll_own_pollable_t (*subscribe)(void *buffer), void *buffer);
