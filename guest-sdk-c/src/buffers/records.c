// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "records.h"

#include <string.h>

#include "errors.h"
#include "globals.h"
#include "stop.h"

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

bool wb_records_next(struct wb_records *records, struct wb_record *record)
{
	while (!wb_records_empty(records)) {
		uint32_t bits;

		records->next = read_at(records, records->next, &bits, record);
		if (!(bits & DISCARDED))
			return true;
	}
	wb_records_free(records);
	return false;
}

bool wb_records_next_of(struct wb_records *records, uint32_t source, struct wb_record *record)
{
	size_t at = records->next;

	while (at < records->packed.len) {
		uint8_t *header = records->packed.ptr + at;
		uint32_t bits;

		at = read_at(records, at, &bits, record);
		if ((bits & DISCARDED) || record->source != source)
			continue;
		// It was taken: whoever comes by later passes over it.
		bits |= DISCARDED;
		memcpy(header, &bits, 4);
		return true;
	}
	return false;
}

int wb_records_fill(struct wb_records *records, wb_poll_fn poll, void *buffer, int timeout_ms)
{
	uint64_t timeout = timeout_ms < 0 ? 0 : timeout_ms * 1000000ull;
	wasm_bpf_bpf_buffers_error_code_t error;
	wasm_bpf_bpf_buffers_records_t got;

	if (!wb_records_empty(records))
		return 1;
	wb_records_free(records);
	if (!poll(buffer, timeout_ms < 0 ? NULL : &timeout, &got, &error)) {
		int err = wb_fail_code(&error);

		// The program's handler has its turn, as it has when a signal ends a wait of the kernel's.
		if (err == -EINTR)
			wb_stop_check();
		errno = -err;
		return err;
	}
	records->packed = got.packed;
	return got.packed.len > 0;
}
