// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Records as the host packs them (wit/buffers.wit has the layout), kept until all of them were handed out.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wasm_bpf.h"

// How much one call of the host is asked for: a batch that costs little memory and makes crossings rare.
#define WB_BATCH (64 * 1024)

struct wb_record {
	uint32_t source;
	uint32_t length;
	void *data;
	// The data is a count of 8 bytes: so many were lost.
	bool is_loss;
};

// How many a loss is about.
uint64_t wb_record_lost(const struct wb_record *record);

struct wb_records {
	wasm_bpf_list_u8_t packed;
	size_t next;
};

// The next record, of the sources that are wanted (NULL: all), without those that were discarded; false when there is none left. Others
// stay.
typedef bool (*wb_wanted_fn)(const void *context, uint32_t source);
bool wb_records_next(struct wb_records *records, wb_wanted_fn is_wanted, const void *context, struct wb_record *record);
void wb_records_free(struct wb_records *records);

// Bytes of what is left of a source, headers and padding included.
size_t wb_records_length(const struct wb_records *records, uint32_t source);

// Of records that came from one source alone: which it is among others.
void wb_records_set_source(struct wb_records *records, uint32_t source);

// Puts records behind what is left, and leaves none of them. 0, or -ENOMEM: then they are lost.
int wb_records_append(struct wb_records *records, struct wb_records *more);

static inline bool wb_records_empty(const struct wb_records *records)
{
	return records->next >= records->packed.len;
}

// Asks the host for records if there are none: `poll` does it, with a time in nanoseconds or NULL. Returns 1 if there are records, 0 if
// not, or a negative errno: -EINTR when a handler ran in a wait.
typedef bool (*wb_poll_fn)(void *buffer, uint64_t *timeout, wasm_bpf_bpf_buffers_records_t *records,
			   wasm_bpf_bpf_buffers_error_code_t *error);
int wb_records_fill(struct wb_records *records, wb_poll_fn poll, void *buffer, int timeout_ms);
