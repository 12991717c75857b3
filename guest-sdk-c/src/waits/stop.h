// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Signals: the host's stop request runs the handler that the program set for SIGINT (or SIGTERM).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wasm_bpf.h"

// At the end of each wait, and of each call of the library: delivers what is pending, with the request to stop as a signal if it is new.
// Without a handler the program ends as the signal would end it (exit code 130). True if a handler ran now: a wait then returns EINTR.
bool wb_stop_check(void);

// Waits until one of these is ready, the time (in nanoseconds; negative: for ever) is over, or a handler ran. The pollables stay the
// caller's. Returns a bit for each that is ready, 0 when the time was over, -EINTR, or WB_SIGNAL_PENDING when a signal came that is
// blocked: whoever does not look for one goes on. Globals are written before and read after.
int64_t wb_wait(const wasi_io_poll_borrow_pollable_t *pollables, unsigned int count, int64_t timeout);

// One turn of that: for the pollables, a stop that is not known yet, and the time. A bit for each that is ready.
uint64_t wb_wait_once(const wasi_io_poll_borrow_pollable_t *pollables, unsigned int count, int64_t timeout);

#define WB_SIGNAL_PENDING (1ll << 62)

// How many pollables one wait can be for.
#define WB_MOST_POLLABLES 62

// Whether the request to stop was made a signal already: waits need not look out for it any more.
bool wb_stop_is_known(void);

// Whether what the handlers interrupted that ran last goes on by itself: reads and writes do, after handlers with SA_RESTART.
bool wb_stop_restarts(void);

// Blocks these signals (bit 0: signal 1) and no others, and delivers nothing; returns which were blocked before.
uint64_t wb_signal_mask(uint64_t mask);
uint64_t wb_signals_blocked(void);
uint64_t wb_signals_pending(void);
// Likewise, after a look whether there are more.
uint64_t wb_signals_now(void);

// Makes a signal pending: the next check delivers it.
void wb_signal_post(int sig);

// Takes the lowest pending signal of these (bit 0: signal 1) off; 0 if there is none. Nothing is run.
int wb_signal_take(uint64_t set);

// Of programs that have timers: posts the signal of one whose time has come; returns the nanoseconds until the next, negative: never.
extern int64_t (*wb_timer_left)(void);

// Set as long as something has to be tried again (a record for a user ring buffer that is full): called where the library is left, and
// while it waits.
extern void (*wb_retry)(void);

// How long one turn of a wait may be of what is left of it (negative: for ever): a timer or a retry may come before.
int64_t wb_turn_of(int64_t left);

// The time that waits count in: nanoseconds of WASI's monotonic clock; and when something is over that begins now (negative: never, also as
// the result).
int64_t wb_now(void);
int64_t wb_end_of(int64_t timeout);
// What is left until then, at least 0; negative: for ever.
int64_t wb_left_until(int64_t end);
