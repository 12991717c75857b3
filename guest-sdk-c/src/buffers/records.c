// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "records.h"

#include <stdlib.h>
#include <string.h>

#include "errors.h"
#include "globals.h"
#include "waits/stop.h"

#define LENGTH_BITS 0x3fffffffu
#define DISCARDED 0x40000000u
#define LOSS 0x80000000u
#define HEADER 8u

void wb_records_free(struct wb_records *records)
{
	if (records->packed.len)
		wasm_bpf_list_u8_free(&records->packed);
	*records = (struct wb_records){};
}

uint64_t wb_record_lost(const struct wb_record *record)
{
	uint64_t count = 0;

	memcpy(&count, record->data, record->length < sizeof(count) ? record->length : sizeof(count));
	return count;
}

// Reads the header at an offset; returns where the one after it is.
static size_t read_at(const struct wb_records *records, size_t at, uint32_t *bits, struct wb_record *record)
{
	uint8_t *header = records->packed.ptr + at;

	memcpy(bits, header, 4);
	memcpy(&record->source, header + 4, 4);
	record->length = *bits & LENGTH_BITS;
	record->data = header + HEADER;
	record->is_loss = *bits & LOSS;
	return at + ((HEADER + record->length + 7u) & ~7u);
}

bool wb_records_next(struct wb_records *records, wb_wanted_fn is_wanted, const void *context, struct wb_record *record)
{
	size_t at = records->next;

	while (at < records->packed.len) {
		uint8_t *header = records->packed.ptr + at;
		const bool is_next = at == records->next;
		uint32_t bits;

		at = read_at(records, at, &bits, record);
		if ((bits & DISCARDED) || !is_wanted || is_wanted(context, record->source)) {
			// It is passed over from now on.
			if (is_next) {
				records->next = at;
			} else {
				uint32_t taken = bits | DISCARDED;

				memcpy(header, &taken, 4);
			}
			if (!(bits & DISCARDED))
				return true;
		}
	}
	if (wb_records_empty(records))
		wb_records_free(records);
	return false;
}

size_t wb_records_length(const struct wb_records *records, uint32_t source)
{
	size_t at = records->next, length = 0;

	while (at < records->packed.len) {
		size_t begin = at;
		struct wb_record record;
		uint32_t bits;

		at = read_at(records, at, &bits, &record);
		if (!(bits & DISCARDED) && record.source == source)
			length += at - begin;
	}
	return length;
}

void wb_records_set_source(struct wb_records *records, uint32_t source)
{
	size_t at = records->next;

	while (at < records->packed.len) {
		uint8_t *header = records->packed.ptr + at;
		struct wb_record record;
		uint32_t bits;

		at = read_at(records, at, &bits, &record);
		memcpy(header + 4, &source, 4);
	}
}

int wb_records_append(struct wb_records *records, struct wb_records *more)
{
	size_t left = records->packed.len - records->next, added = more->packed.len - more->next;
	uint8_t *both;

	if (!added) {
		wb_records_free(more);
		return 0;
	}
	if (!left) {
		wb_records_free(records);
		*records = *more;
		*more = (struct wb_records){};
		return 0;
	}
	both = malloc(left + added);
	if (!both) {
		wb_records_free(more);
		return wb_no_memory();
	}
	memcpy(both, records->packed.ptr + records->next, left);
	memcpy(both + left, more->packed.ptr + more->next, added);
	wb_records_free(records);
	wb_records_free(more);
	*records = (struct wb_records){ .packed = { both, left + added } };
	return 0;
}

int wb_records_fill(struct wb_records *records, wb_poll_fn poll, void *buffer, int timeout_ms)
{
	const int64_t end = timeout_ms > 0 ? wb_end_of(timeout_ms * 1000000ll) : -1;

	if (!wb_records_empty(records))
		return 1;
	wb_records_free(records);
	for (;;) {
		wasm_bpf_bpf_buffers_error_code_t error;
		wasm_bpf_bpf_buffers_records_t got;
		int64_t left = timeout_ms ? wb_left_until(end) : 0;
		int64_t turn = left ? wb_turn_of(left) : 0;
		uint64_t time = turn;

		if (poll(buffer, turn < 0 ? NULL : &time, &got, &error)) {
			records->packed = got.packed;
			if (got.packed.len)
				return 1;
		} else if (error.tag != WASM_BPF_BPF_TYPES_ERROR_CODE_INTERRUPTED) {
			return wb_fail_code(&error);
		}
		// The program's handler has its turn, as it has when a signal ends a wait of the kernel's; one that is ignored, or ran
		// before, ends none.
		if (wb_stop_check() && timeout_ms) {
			errno = EINTR;
			return -EINTR;
		}
		if (!left)
			return 0;
	}
}
