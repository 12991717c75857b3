// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Global variables of BPF programs as memory of the guest: skel->bss and skel->data.
//
// They are copies. Before each call of the library and each wait, what the guest changed (those bytes alone) is written to the map, so
// that what BPF programs write beside it is not undone; after it the copies are read anew.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "wasm_bpf.h"

// Around whatever may let BPF programs or others act or look: every public function that calls the host. They may be nested: what the
// guest changed is written at each beginning, and read at the end of the outermost. With no global data they cost a comparison.
void wb_enter(void);
void wb_leave(void);

// For a whole function: WB_CALL; at its top.
static inline void wb_leave_scope(const char *unused)
{
	(void)unused;
	wb_leave();
}
#define WB_CALL \
	wb_enter(); \
	const char wb_scope __attribute__((cleanup(wb_leave_scope), unused)) = 0

// Around a function of the program that is called inside WB_CALL, such as that of a ring buffer: it finds what BPF programs wrote until
// now, and what it calls and writes counts as anywhere else. Give what the first returned to the second.
unsigned int wb_callback_begin(void);
void wb_callback_end(unsigned int depth);

// Makes memory of the guest the copy of a map's from now on, and reads it. `name` is that of the map, for messages; it has to live as
// long. 0, or a negative errno.
int wb_globals_open(wasm_bpf_bpf_maps_borrow_map_t map, const char *name, void *memory, size_t size, bool read_only);

// Ends it, after a last write. The memory stays the caller's.
void wb_globals_close(const void *memory);
