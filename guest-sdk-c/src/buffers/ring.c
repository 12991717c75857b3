// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Ring buffers: records come in batches, callbacks are called one by one.
#include <stdlib.h>

#include <bpf/libbpf.h>

#include "buffers/pollable.h"
#include "buffers/records.h"
#include "errors.h"
#include "globals.h"
#include "map_handle.h"
#include "options.h"

// As many as the interface takes.
#define MAX_RINGS 64

struct ring {
	struct ring_buffer *buffer;
	ring_buffer_sample_fn callback;
	void *context;
	// A number of its own, so that the program may close the one that it gave.
	int map_fd;
	size_t size;
	uint32_t index;
	// Over this ring alone, once someone asks about it alone. It shares the position of the consumer with that over all.
	wasm_bpf_bpf_buffers_own_ring_buffer_t own;
};

struct ring_buffer {
	struct ring *rings[MAX_RINGS];
	unsigned int count;
	wasm_bpf_bpf_buffers_own_ring_buffer_t own;
	struct wb_records records;
	int epoll_fd;
};

static bool poll_host(void *buffer, uint64_t *timeout, wasm_bpf_bpf_buffers_records_t *records,
		      wasm_bpf_bpf_buffers_error_code_t *error)
{
	const wasm_bpf_bpf_buffers_own_ring_buffer_t *own = buffer;

	return wasm_bpf_bpf_buffers_method_ring_buffer_poll(wasm_bpf_bpf_buffers_borrow_ring_buffer(*own), timeout, WB_BATCH,
							    records, error);
}

static wasi_io_poll_own_pollable_t subscribe(const void *buffer)
{
	const struct ring_buffer *rb = buffer;

	return wasm_bpf_bpf_buffers_method_ring_buffer_subscribe(wasm_bpf_bpf_buffers_borrow_ring_buffer(rb->own));
}

static bool has_records(const void *buffer)
{
	const struct ring_buffer *rb = buffer;

	return !wb_records_empty(&rb->records);
}

// Opens the host's buffer anew, over all rings. What was read of the one before is kept: it has the same order.
static int open_all(struct ring_buffer *rb)
{
	wasm_bpf_bpf_buffers_ring_t rings[MAX_RINGS] = {};
	wasm_bpf_bpf_buffers_list_ring_t list = { rings, rb->count };
	wasm_bpf_bpf_buffers_own_ring_buffer_t opened;
	wasm_bpf_bpf_buffers_error_t error;

	for (unsigned int i = 0; i < rb->count; i++)
		wb_map_of(rb->rings[i]->map_fd, &rings[i].map);
	if (!wasm_bpf_bpf_buffers_static_ring_buffer_open(&list, &opened, &error))
		return wb_fail(&error, "open a ring buffer");
	if (rb->own.__handle)
		wasm_bpf_bpf_buffers_ring_buffer_drop_own(rb->own);
	rb->own = opened;
	if (rb->epoll_fd >= 0)
		wb_pollable_changed(rb->epoll_fd);
	return 0;
}

int ring_buffer__add(struct ring_buffer *rb, int map_fd, ring_buffer_sample_fn callback, void *context)
{
	const struct wb_map *map = wb_map_at(map_fd);
	struct ring *ring;
	int err;

	if (!map)
		return -errno;
	if (map->type != BPF_MAP_TYPE_RINGBUF)
		return wb_refuse(EINVAL, "a ring buffer: the map with the descriptor %d is none", map_fd);
	if (rb->count == MAX_RINGS)
		return wb_refuse(E2BIG, "a ring buffer reads at most %d maps", MAX_RINGS);
	WB_CALL;
	ring = calloc(1, sizeof(*ring));
	if (!ring)
		return wb_no_memory();
	*ring = (struct ring){ .buffer = rb, .callback = callback, .context = context, .size = map->max_entries, .index = rb->count };
	ring->map_fd = wb_descriptor_duplicate(map_fd);
	if (ring->map_fd < 0) {
		err = ring->map_fd;
		free(ring);
		return err;
	}
	rb->rings[rb->count++] = ring;
	err = open_all(rb);
	if (err) {
		rb->count--;
		wb_descriptor_close(ring->map_fd);
		free(ring);
		errno = -err;
	}
	return err;
}

struct ring_buffer *ring_buffer__new(int map_fd, ring_buffer_sample_fn callback, void *context, const struct ring_buffer_opts *opts)
{
	struct ring_buffer *rb;
	int err;

	if (!WB_OPTIONS_VALID(opts, ring_buffer_opts))
		return wb_null(-EINVAL);
	rb = calloc(1, sizeof(*rb));
	if (!rb)
		return wb_null(wb_no_memory());
	rb->epoll_fd = -1;
	err = ring_buffer__add(rb, map_fd, callback, context);
	if (err) {
		free(rb);
		return wb_null(err);
	}
	return rb;
}

void ring_buffer__free(struct ring_buffer *rb)
{
	int saved = errno;

	if (!rb)
		return;
	WB_CALL;
	if (rb->epoll_fd >= 0)
		wb_descriptor_close(rb->epoll_fd);
	wasm_bpf_bpf_buffers_ring_buffer_drop_own(rb->own);
	wb_records_free(&rb->records);
	for (unsigned int i = 0; i < rb->count; i++) {
		if (rb->rings[i]->own.__handle)
			wasm_bpf_bpf_buffers_ring_buffer_drop_own(rb->rings[i]->own);
		wb_descriptor_close(rb->rings[i]->map_fd);
		free(rb->rings[i]);
	}
	free(rb);
	errno = saved;
}

static bool is_index(const void *index, uint32_t source)
{
	return source == *(const uint32_t *)index;
}

// Hands out at most `most` records: of one ring, or of all (NULL). How many there were, or the error of a callback.
static int64_t hand_out(const struct ring_buffer *rb, struct wb_records *records, const struct ring *only, size_t most)
{
	const unsigned int depth = wb_callback_begin();
	struct wb_record record;
	int64_t count = 0;

	while ((uint64_t)count < most && wb_records_next(records, only ? is_index : NULL, only ? &only->index : NULL, &record)) {
		const struct ring *ring = rb->rings[record.source];
		int err = ring->callback(ring->context, record.data, record.length);

		if (err < 0) {
			count = err;
			break;
		}
		count++;
	}
	wb_callback_end(depth);
	return count;
}

// What there is, until there is nothing more, or enough. Only the first look waits.
static int consume(struct ring_buffer *rb, size_t most, int timeout_ms)
{
	int64_t sum = 0, count;

	do {
		int filled = wb_records_fill(&rb->records, poll_host, &rb->own, sum ? 0 : timeout_ms);

		if (filled < 0 && !sum)
			return filled;
		if (filled <= 0)
			break;
		count = hand_out(rb, &rb->records, NULL, most - sum);
		if (count < 0) {
			errno = -count;
			return count;
		}
		sum += count;
	} while ((size_t)sum < most);
	return sum;
}

int ring_buffer__consume(struct ring_buffer *rb)
{
	return ring_buffer__consume_n(rb, INT32_MAX);
}

int ring_buffer__consume_n(struct ring_buffer *rb, size_t n)
{
	WB_CALL;
	return consume(rb, n < INT32_MAX ? n : INT32_MAX, 0);
}

int ring_buffer__poll(struct ring_buffer *rb, int timeout_ms)
{
	WB_CALL;
	return consume(rb, INT32_MAX, timeout_ms);
}

int ring_buffer__epoll_fd(const struct ring_buffer *rb)
{
	struct ring_buffer *own = (struct ring_buffer *)rb;

	if (own->epoll_fd < 0)
		own->epoll_fd = wb_pollable_descriptor(subscribe, has_records, own);
	return own->epoll_fd;
}

struct ring *ring_buffer__ring(struct ring_buffer *rb, unsigned int index)
{
	return index < rb->count ? rb->rings[index] : wb_null(-ERANGE);
}

// The ring alone.
static int open_alone(struct ring *ring)
{
	wasm_bpf_bpf_buffers_ring_t alone = {};
	wasm_bpf_bpf_buffers_list_ring_t list = { &alone, 1 };
	wasm_bpf_bpf_buffers_error_t error;

	if (ring->own.__handle)
		return 0;
	if (!wb_map_of(ring->map_fd, &alone.map))
		return -errno;
	return wasm_bpf_bpf_buffers_static_ring_buffer_open(&list, &ring->own, &error) ? 0 : wb_fail(&error, "open a ring");
}

size_t ring__avail_data_size(const struct ring *ring)
{
	WB_CALL;
	if (open_alone((struct ring *)ring) < 0)
		return 0;
	// And what was taken out of the ring, but not handed out yet.
	return wasm_bpf_bpf_buffers_method_ring_buffer_available(wasm_bpf_bpf_buffers_borrow_ring_buffer(ring->own)) +
	       wb_records_length(&ring->buffer->records, ring->index);
}

size_t ring__size(const struct ring *ring)
{
	return ring->size;
}

int ring__map_fd(const struct ring *ring)
{
	return ring->map_fd;
}

int ring__consume(struct ring *ring)
{
	return ring__consume_n(ring, INT32_MAX);
}

int ring__consume_n(struct ring *ring, size_t n)
{
	struct wb_records *kept = &ring->buffer->records;
	const int64_t most = n < INT32_MAX ? n : INT32_MAX;
	int64_t sum, count;
	int err;

	WB_CALL;
	// First what came with records of other rings.
	sum = hand_out(ring->buffer, kept, ring, most);
	while (sum >= 0 && sum < most) {
		struct wb_records records = {};

		err = open_alone(ring);
		if (!err)
			err = wb_records_fill(&records, poll_host, &ring->own, 0);
		if (err <= 0) {
			if (err < 0 && !sum)
				sum = err;
			break;
		}
		wb_records_set_source(&records, ring->index);
		count = hand_out(ring->buffer, &records, NULL, most - sum);
		sum = count < 0 ? count : sum + count;
		// A callback refused one, or it was enough: the rest comes before what is in the ring.
		err = wb_records_append(kept, &records);
		if (err)
			return err;
	}
	if (sum < 0)
		errno = -sum;
	return sum;
}
