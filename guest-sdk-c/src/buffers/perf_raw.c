// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Perf buffers whose callback is given events as the kernel lays them out.
#include <stdlib.h>
#include <string.h>

#include <linux/perf_event.h>

#include "buffers/perf.h"
#include "errors.h"
#include "globals.h"
#include "options.h"

struct sample {
	struct perf_event_header header;
	uint32_t size;
	char data[];
};

struct loss {
	struct perf_event_header header;
	uint64_t id;
	uint64_t lost;
};

static void *room_for(struct perf_buffer *pb, size_t size)
{
	void *larger;

	if (size <= pb->event_room)
		return pb->event;
	larger = realloc(pb->event, size);
	if (larger) {
		pb->event = larger;
		pb->event_room = size;
	}
	return larger;
}

static int tell_raw(struct perf_buffer *pb, const struct wb_record *record)
{
	size_t size = record->is_loss ? sizeof(struct loss) : sizeof(struct sample) + record->length;
	struct perf_event_header *event;

	// As in the kernel's buffer: 16 bits for the size.
	if (size > UINT16_MAX)
		return wb_refuse(E2BIG, "a record of %u bytes has no size that struct perf_event_header can tell", record->length);
	event = room_for(pb, size);
	if (!event)
		return wb_no_memory();
	if (record->is_loss) {
		*(struct loss *)event = (struct loss){
			.header = { .type = PERF_RECORD_LOST, .size = size }, .lost = wb_record_lost(record),
		};
	} else {
		struct sample *sample = (struct sample *)event;

		sample->header = (struct perf_event_header){ .type = PERF_RECORD_SAMPLE, .size = size };
		sample->size = record->length;
		memcpy(sample->data, record->data, record->length);
	}
	return pb->raw_callback(pb->context, record->source, event);
}

struct perf_buffer *perf_buffer__new_raw(int map_fd, size_t pages, struct perf_event_attr *attr, perf_buffer_event_fn callback,
					 void *context, const struct perf_buffer_raw_opts *opts)
{
	if (!attr || !WB_OPTIONS_VALID(opts, perf_buffer_raw_opts))
		return wb_null(-EINVAL);
	if (attr->type != PERF_TYPE_SOFTWARE || attr->config != PERF_COUNT_SW_BPF_OUTPUT || attr->sample_type != PERF_SAMPLE_RAW)
		return wb_null(wb_refuse(EOPNOTSUPP, "a perf buffer for guests has samples of bpf_perf_event_output alone, with "
						     "PERF_SAMPLE_RAW"));
	if (WB_OPTION(opts, cpu_cnt, 0))
		return wb_null(wb_refuse(EOPNOTSUPP, "a perf buffer for guests is one of all CPUs"));

	WB_CALL;
	return wb_perf_buffer_new(map_fd, pages, (struct perf_buffer){ .tell = tell_raw, .raw_callback = callback, .context = context });
}
