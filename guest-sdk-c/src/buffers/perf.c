// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Perf buffers: one for each CPU, read through one batch.
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "buffers/pollable.h"
#include "buffers/records.h"
#include "errors.h"
#include "globals.h"
#include "map_handle.h"
#include "object.h"
#include "options.h"

struct perf_buffer {
	wasm_bpf_bpf_buffers_own_perf_buffer_t own;
	perf_buffer_sample_fn callback;
	perf_buffer_lost_fn lost;
	void *context;
	struct wb_records records;
	int epoll_fd;
};

static bool poll_host(void *buffer, uint64_t *timeout, wasm_bpf_bpf_buffers_records_t *records,
		      wasm_bpf_bpf_buffers_error_code_t *error)
{
	struct perf_buffer *pb = buffer;

	return wasm_bpf_bpf_buffers_method_perf_buffer_poll(wasm_bpf_bpf_buffers_borrow_perf_buffer(pb->own), timeout, WB_BATCH,
							    records, error);
}

static wasi_io_poll_own_pollable_t subscribe(void *buffer)
{
	struct perf_buffer *pb = buffer;

	return wasm_bpf_bpf_buffers_method_perf_buffer_subscribe(wasm_bpf_bpf_buffers_borrow_perf_buffer(pb->own));
}

struct perf_buffer *perf_buffer__new(int map_fd, size_t pages, perf_buffer_sample_fn callback, perf_buffer_lost_fn lost, void *context,
				     const struct perf_buffer_opts *opts)
{
	const struct wb_map *map;
	wasm_bpf_bpf_buffers_error_t error;
	struct perf_buffer *pb;

	if (!WB_OPTIONS_VALID(opts, perf_buffer_opts))
		return wb_null(-EINVAL);
	map = wb_map_at(map_fd);
	if (!map)
		return NULL;
	if (map->type != BPF_MAP_TYPE_PERF_EVENT_ARRAY)
		return wb_null(wb_refuse(EINVAL, "a perf buffer: the map with the descriptor %d is no perf event array", map_fd));
	if (!pages || (pages & (pages - 1)) || pages > UINT32_MAX)
		return wb_null(wb_refuse(EINVAL, "a perf buffer has a power of two of pages, not %zu", pages));
	WB_CALL;
	pb = calloc(1, sizeof(*pb));
	if (!pb)
		return wb_null(wb_refuse(ENOMEM, "no memory for a perf buffer"));
	*pb = (struct perf_buffer){ .callback = callback, .lost = lost, .context = context, .epoll_fd = -1 };
	if (!wasm_bpf_bpf_buffers_static_perf_buffer_open(map->handle, pages, &pb->own, &error)) {
		free(pb);
		return wb_null(wb_fail(&error, "open a perf buffer"));
	}
	return pb;
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
	free(pb);
	errno = saved;
}

static void hand_out_one(struct perf_buffer *pb, const struct wb_record *record)
{
	if (record->is_loss) {
		uint64_t count = 0;

		memcpy(&count, record->data, record->length < sizeof(count) ? record->length : sizeof(count));
		if (pb->lost)
			pb->lost(pb->context, record->source, count);
	} else if (pb->callback) {
		pb->callback(pb->context, record->source, record->data, record->length);
	}
}

// Hands out what is in the batch: of one CPU, or of all (negative).
static int hand_out(struct perf_buffer *pb, int64_t cpu)
{
	// What programs counted is in the globals when the callback looks at them.
	unsigned int depth = wb_callback_begin();
	struct wb_record record;
	int count = 0;

	while (cpu < 0 ? wb_records_next(&pb->records, &record) : wb_records_next_of(&pb->records, cpu, &record)) {
		hand_out_one(pb, &record);
		count++;
	}
	wb_callback_end(depth);
	return count;
}

int perf_buffer__poll(struct perf_buffer *pb, int timeout_ms)
{
	int filled;

	WB_CALL;
	filled = wb_records_fill(&pb->records, poll_host, pb, timeout_ms);
	return filled <= 0 ? filled : hand_out(pb, -1);
}

int perf_buffer__consume(struct perf_buffer *pb)
{
	int filled;

	WB_CALL;
	while ((filled = wb_records_fill(&pb->records, poll_host, pb, 0)) > 0)
		hand_out(pb, -1);
	return filled;
}

int perf_buffer__epoll_fd(const struct perf_buffer *pb)
{
	struct perf_buffer *own = (struct perf_buffer *)pb;

	if (own->epoll_fd < 0)
		own->epoll_fd = wb_pollable_descriptor(subscribe, own);
	return own->epoll_fd;
}

size_t perf_buffer__buffer_cnt(const struct perf_buffer *pb)
{
	wasm_bpf_bpf_features_error_code_t error;
	wasm_bpf_list_u32_t cpus;
	size_t count;

	(void)pb;
	if (!wasm_bpf_bpf_features_online_cpus(&cpus, &error)) {
		wb_fail_code(&error);
		return 0;
	}
	count = cpus.len;
	if (cpus.len)
		free(cpus.ptr);
	return count;
}

int perf_buffer__consume_buffer(struct perf_buffer *pb, size_t index)
{
	wasm_bpf_bpf_features_error_code_t error;
	wasm_bpf_list_u32_t cpus;
	int64_t cpu = -1;
	int filled;

	WB_CALL;
	// Buffers are those of the CPUs that are online, in their order.
	if (!wasm_bpf_bpf_features_online_cpus(&cpus, &error))
		return wb_fail_code(&error);
	if (index < cpus.len)
		cpu = cpus.ptr[index];
	if (cpus.len)
		free(cpus.ptr);
	if (cpu < 0)
		return wb_refuse(EINVAL, "the perf buffer has no buffer %zu", index);
	filled = wb_records_fill(&pb->records, poll_host, pb, 0);
	if (filled > 0)
		hand_out(pb, cpu);
	return filled < 0 ? filled : 0;
}
