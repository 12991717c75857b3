// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Signals: the host's stop request runs the handler that the program set for SIGINT (or SIGTERM).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wasm_bpf.h"

// At the end of each wait, and of each call that programs make in loops: runs the handler if a stop was asked for and it did not run yet. Without a
// handler the program ends as the signal would end it (exit code 130). True if the handler ran now: a wait then returns EINTR.
bool wb_stop_check(void);

// Waits until one of these is ready, the time (in nanoseconds; negative: for ever) is over, or a stop is asked for. The pollables stay the
// caller's. Returns a bit for each that is ready (of the first 64), 0 when the time was over, or -EINTR. Globals are written before and read after.
int64_t wb_wait(const wasi_io_poll_borrow_pollable_t *pollables, unsigned int count, int64_t timeout);

// Whether the request to stop was made a signal already: waits need not look out for it any more.
bool wb_stop_is_known(void);
