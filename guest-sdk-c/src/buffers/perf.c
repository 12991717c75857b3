// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Perf buffers: one for each CPU, read through one batch.
#include "buffers/perf.h"

#include <stdlib.h>
#include <string.h>

#include "buffers/pollable.h"
#include "errors.h"
#include "globals.h"
#include "map_handle.h"
#include "object.h"
#include "options.h"

// What the pages of a buffer are counted in.
#define PAGE 4096u

// Of a CPU: it had something; its callback has enough for now.
#define SEEN 1
#define DONE 2

static bool poll_host(void *buffer, uint64_t *timeout, wasm_bpf_bpf_buffers_records_t *records,
		      wasm_bpf_bpf_buffers_error_code_t *error)
{
	struct perf_buffer *pb = buffer;

	return wasm_bpf_bpf_buffers_method_perf_buffer_poll(wasm_bpf_bpf_buffers_borrow_perf_buffer(pb->own), timeout, WB_BATCH,
							    records, error);
}

static wasi_io_poll_own_pollable_t subscribe(const void *buffer)
{
	const struct perf_buffer *pb = buffer;

	return wasm_bpf_bpf_buffers_method_perf_buffer_subscribe(wasm_bpf_bpf_buffers_borrow_perf_buffer(pb->own));
}

static bool has_records(const void *buffer)
{
	const struct perf_buffer *pb = buffer;

	return !wb_records_empty(&pb->records);
}

// The host opens a buffer for each CPU that is online.
static int find_cpus(struct perf_buffer *pb)
{
	wasm_bpf_bpf_features_error_code_t error;
	wasm_bpf_list_u32_t cpus;

	if (!wasm_bpf_bpf_features_online_cpus(&cpus, &error))
		return wb_fail_code(&error);
	pb->cpus = cpus.ptr;
	pb->cpu_count = cpus.len;
	for (size_t i = 0; i < cpus.len; i++) {
		if (cpus.ptr[i] >= pb->state_count)
			pb->state_count = cpus.ptr[i] + 1;
	}
	pb->states = calloc(pb->state_count, 1);
	return pb->states ? 0 : wb_no_memory();
}

static int open_buffer(struct perf_buffer *pb, int map_fd, size_t pages)
{
	const struct wb_map *map = wb_map_at(map_fd);
	wasm_bpf_bpf_buffers_error_t error;
	int err;

	if (!map)
		return -errno;
	if (map->type != BPF_MAP_TYPE_PERF_EVENT_ARRAY)
		return wb_refuse(EINVAL, "a perf buffer: the map with the descriptor %d is no perf event array", map_fd);
	if (!pages || (pages & (pages - 1)) || pages > UINT32_MAX)
		return wb_refuse(EINVAL, "a perf buffer has a power of two of pages, not %zu", pages);
	err = find_cpus(pb);
	if (err)
		return err;
	if (!wasm_bpf_bpf_buffers_static_perf_buffer_open(map->handle, pages, &pb->own, &error))
		return wb_fail(&error, "open a perf buffer");
	pb->capacity = (uint64_t)pages * PAGE * pb->cpu_count;
	return 0;
}

struct perf_buffer *wb_perf_buffer_new(int map_fd, size_t pages, struct perf_buffer model)
{
	struct perf_buffer *pb = malloc(sizeof(*pb));
	int err;

	if (!pb)
		return wb_null(wb_no_memory());
	*pb = model;
	pb->epoll_fd = -1;
	err = open_buffer(pb, map_fd, pages);
	if (!err)
		return pb;
	if (pb->cpu_count)
		free(pb->cpus);
	free(pb->states);
	free(pb);
	return wb_null(err);
}

static int tell(struct perf_buffer *pb, const struct wb_record *record)
{
	if (!record->is_loss) {
		if (pb->callback)
			pb->callback(pb->context, record->source, record->data, record->length);
	} else if (pb->lost) {
		pb->lost(pb->context, record->source, wb_record_lost(record));
	}
	return LIBBPF_PERF_EVENT_CONT;
}

struct perf_buffer *perf_buffer__new(int map_fd, size_t pages, perf_buffer_sample_fn callback, perf_buffer_lost_fn lost, void *context,
				     const struct perf_buffer_opts *opts)
{
	const struct perf_buffer model = { .tell = tell, .callback = callback, .lost = lost, .context = context };

	if (!WB_OPTIONS_VALID(opts, perf_buffer_opts))
		return wb_null(-EINVAL);

	WB_CALL;
	return wb_perf_buffer_new(map_fd, pages, model);
}

void perf_buffer__free(struct perf_buffer *pb)
{
	int saved = errno;

	// Programs give what perf_buffer__new() returned, also when it was an error of older versions.
	if (!pb || (uintptr_t)pb >= (uintptr_t)-4095)
		return;

	WB_CALL;
	if (pb->epoll_fd >= 0)
		wb_descriptor_close(pb->epoll_fd);
	wasm_bpf_bpf_buffers_perf_buffer_drop_own(pb->own);
	wb_records_free(&pb->records);
	free(pb->event);
	if (pb->cpu_count)
		free(pb->cpus);
	free(pb->states);
	free(pb);
	errno = saved;
}

struct part {
	const struct perf_buffer *pb;
	// One CPU, or all: negative.
	int64_t cpu;
};

static bool is_wanted(const void *context, uint32_t source)
{
	const struct part *part = context;

	return source < part->pb->state_count && !(part->pb->states[source] & DONE) && (part->cpu < 0 || part->cpu == source);
}

// Hands out what is there of a CPU, or of all (negative). 0, or the error of a callback.
static int hand_out(struct perf_buffer *pb, int64_t cpu)
{
	const struct part part = { pb, cpu };
	const unsigned int depth = wb_callback_begin();
	struct wb_record record;
	int told = LIBBPF_PERF_EVENT_CONT;

	while (wb_records_next(&pb->records, is_wanted, &part, &record)) {
		pb->states[record.source] |= SEEN;
		told = pb->tell(pb, &record);
		if (told == LIBBPF_PERF_EVENT_DONE)
			pb->states[record.source] |= DONE;
		else if (told != LIBBPF_PERF_EVENT_CONT)
			break;
		told = LIBBPF_PERF_EVENT_CONT;
	}
	wb_callback_end(depth);
	if (told == LIBBPF_PERF_EVENT_CONT)
		return 0;
	wb_warn("a callback of a perf buffer failed: %d", told);
	errno = -told;
	return told;
}

// What there is, but not what comes meanwhile for ever: as much as the buffers hold. How many CPUs had something.
static int consume(struct perf_buffer *pb, int timeout_ms)
{
	uint64_t bytes = 0;
	int count = 0;

	memset(pb->states, 0, pb->state_count);
	do {
		int filled = wb_records_fill(&pb->records, poll_host, pb, bytes ? 0 : timeout_ms), err;

		if (filled < 0 && !bytes)
			return filled;
		if (filled <= 0)
			break;
		bytes += pb->records.packed.len;
		err = hand_out(pb, -1);
		if (err)
			return err;
	} while (wb_records_empty(&pb->records) && bytes < pb->capacity);
	for (size_t i = 0; i < pb->state_count; i++)
		count += pb->states[i] & SEEN;
	return count;
}

int perf_buffer__poll(struct perf_buffer *pb, int timeout_ms)
{
	WB_CALL;
	return consume(pb, timeout_ms);
}

int perf_buffer__consume(struct perf_buffer *pb)
{
	WB_CALL;
	int count = consume(pb, 0);

	return count < 0 ? count : 0;
}

int perf_buffer__epoll_fd(const struct perf_buffer *pb)
{
	struct perf_buffer *own = (struct perf_buffer *)pb;

	if (own->epoll_fd < 0)
		own->epoll_fd = wb_pollable_descriptor(subscribe, has_records, own);
	return own->epoll_fd;
}

size_t perf_buffer__buffer_cnt(const struct perf_buffer *pb)
{
	return pb->cpu_count;
}

int perf_buffer__consume_buffer(struct perf_buffer *pb, size_t index)
{
	uint32_t cpu;
	int err;

	if (index >= pb->cpu_count)
		return wb_refuse(EINVAL, "the perf buffer has no buffer %zu", index);

	WB_CALL;
	cpu = pb->cpus[index];
	memset(pb->states, 0, pb->state_count);
	err = hand_out(pb, cpu);
	for (uint64_t bytes = 0; !err && !(pb->states[cpu] & DONE) && bytes < pb->capacity;) {
		struct wb_records records = {};

		// Records of other CPUs come with those of this one, and are kept, but not without end.
		if (pb->records.packed.len - pb->records.next >= pb->capacity)
			return wb_refuse(ENOBUFS, "records of other CPUs wait: consume them, too");
		err = wb_records_fill(&records, poll_host, pb, 0);
		if (err <= 0)
			return err;
		bytes += records.packed.len;
		err = wb_records_append(&pb->records, &records);
		if (!err)
			err = hand_out(pb, cpu);
	}
	return err;
}
