// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// User ring buffers. A record is memory of the guest until it is submitted; the host then writes it whole.
//
// How much room there is only the host knows, and it tells no more than whether there is some. A record that is submitted and finds too
// little waits in the guest, and is tried again whenever the library is called or waits; until then no further one is reserved. So a ring
// is full one record later than libbpf's, if its records are of several sizes.
#include <stdlib.h>

#include <bpf/libbpf.h>

#include "errors.h"
#include "globals.h"
#include "map_handle.h"
#include "object.h"
#include "options.h"
#include "waits/stop.h"

// A record has a header of this size in the ring.
#define HEADER 8u

struct sample {
	struct sample *next;
	uint32_t size;
	enum { RESERVED, SUBMITTED, DISCARDED } state;
	// 8 bytes are what the ring aligns to.
	_Alignas(8) unsigned char data[];
};

struct user_ring_buffer {
	struct user_ring_buffer *next;
	wasm_bpf_bpf_buffers_own_user_ring_buffer_t own;
	wasm_bpf_bpf_buffers_borrow_user_ring_buffer_t handle;
	// Ready when the ring is not full.
	wasi_io_poll_own_pollable_t has_room;
	uint32_t size;
	// Reserved, and what comes after such: they are written in the order in which they were reserved. With their room in the ring.
	struct sample *first, **last;
	uint32_t kept;
};

// Those that records wait for.
static struct user_ring_buffer *all;

// Made when it is first asked for: each counts against the limit of descriptors, and opening a ring is to be refused in words where that is reached.
static wasi_io_poll_borrow_pollable_t has_room(struct user_ring_buffer *rb)
{
	if (!rb->has_room.__handle)
		rb->has_room = wasm_bpf_bpf_buffers_method_user_ring_buffer_subscribe(rb->handle);
	return wasi_io_poll_borrow_pollable(rb->has_room);
}

struct user_ring_buffer *user_ring_buffer__new(int map_fd, const struct user_ring_buffer_opts *opts)
{
	const struct wb_map *map;
	wasm_bpf_bpf_buffers_error_t error;
	struct user_ring_buffer *rb;

	if (!WB_OPTIONS_VALID(opts, user_ring_buffer_opts))
		return wb_null(-EINVAL);
	map = wb_map_at(map_fd);
	if (!map)
		return NULL;
	if (map->type != BPF_MAP_TYPE_USER_RINGBUF)
		return wb_null(wb_refuse(EINVAL, "a user ring buffer: the map with the descriptor %d is none", map_fd));
	WB_CALL;
	rb = calloc(1, sizeof(*rb));
	if (!rb)
		return wb_null(wb_no_memory());
	if (!wasm_bpf_bpf_buffers_static_user_ring_buffer_open(map->handle, &rb->own, &error)) {
		free(rb);
		return wb_null(wb_fail(&error, "open a user ring buffer"));
	}
	rb->handle = wasm_bpf_bpf_buffers_borrow_user_ring_buffer(rb->own);
	rb->size = map->max_entries;
	rb->last = &rb->first;
	rb->next = all;
	all = rb;
	return rb;
}

static bool write_one(struct user_ring_buffer *rb, const struct sample *sample)
{
	wasm_bpf_list_u8_t bytes = wb_bytes(sample->data, sample->size);
	wasm_bpf_bpf_buffers_error_code_t error;

	if (wasm_bpf_bpf_buffers_method_user_ring_buffer_write(rb->handle, &bytes, &error))
		return true;
	if (error.tag == WASM_BPF_BPF_TYPES_ERROR_CODE_NO_SPACE)
		return false;
	wb_fail_code(&error);
	wb_warn("a record of %u bytes could not be written to the user ring buffer: error %d", sample->size, errno);
	return true;
}

static uint32_t room_of(uint32_t size)
{
	return (size + HEADER + 7u) & ~7u;
}

static void retry(void);

// Writes what can be written. Whether nothing waits for room.
static bool write_kept(struct user_ring_buffer *rb)
{
	while (rb->first && rb->first->state != RESERVED) {
		struct sample *sample = rb->first;

		if (sample->state == SUBMITTED && !write_one(rb, sample)) {
			wb_retry = retry;
			return false;
		}
		rb->first = sample->next;
		rb->kept -= room_of(sample->size);
		free(sample);
	}
	if (!rb->first)
		rb->last = &rb->first;
	return true;
}

static void retry(void)
{
	wb_retry = NULL;
	for (struct user_ring_buffer *rb = all; rb; rb = rb->next)
		write_kept(rb);
}

void *user_ring_buffer__reserve(struct user_ring_buffer *rb, __u32 size)
{
	struct sample *sample;

	// As libbpf: two bits of the length are flags, and header and record have to fit.
	if (size & 0xc0000000u || room_of(size) > rb->size)
		return wb_null(wb_refuse(E2BIG, "a record of %u bytes is larger than the user ring buffer", size));

	WB_CALL;
	if (!write_kept(rb) || rb->kept + room_of(size) > rb->size ||
	    !wasi_io_poll_method_pollable_ready(has_room(rb)))
		return wb_null(-ENOSPC);
	sample = malloc(sizeof(*sample) + size);
	if (!sample)
		return wb_null(wb_no_memory());
	*sample = (struct sample){ .size = size };
	*rb->last = sample;
	rb->last = &sample->next;
	rb->kept += room_of(size);
	return sample->data;
}

// How long to wait between looks: that the ring has some room does not mean enough.
#define LOOK_NS 1000000

void *user_ring_buffer__reserve_blocking(struct user_ring_buffer *rb, __u32 size, int timeout_ms)
{
	int64_t end;

	if (timeout_ms < -1)
		return wb_null(-EINVAL);

	WB_CALL;
	end = wb_end_of(timeout_ms < 0 ? -1 : timeout_ms * 1000000ll);
	for (;;) {
		int64_t left = wb_left_until(end);
		void *data = user_ring_buffer__reserve(rb, size);

		if (data || errno != ENOSPC || !left)
			return data;
		if (wb_wait(NULL, 0, left < 0 || left > LOOK_NS ? LOOK_NS : left) == -EINTR)
			return wb_null(-EINTR);
	}
}

static struct sample *sample_of(void *data)
{
	return (struct sample *)((unsigned char *)data - offsetof(struct sample, data));
}

static void finish(struct user_ring_buffer *rb, void *data, int state)
{
	sample_of(data)->state = state;

	WB_CALL;
	write_kept(rb);
}

void user_ring_buffer__submit(struct user_ring_buffer *rb, void *data)
{
	finish(rb, data, SUBMITTED);
}

void user_ring_buffer__discard(struct user_ring_buffer *rb, void *data)
{
	finish(rb, data, DISCARDED);
}

void user_ring_buffer__free(struct user_ring_buffer *rb)
{
	struct user_ring_buffer **at = &all;
	unsigned int lost = 0;

	if (!rb)
		return;

	WB_CALL;
	write_kept(rb);
	while (*at != rb)
		at = &(*at)->next;
	*at = rb->next;
	while (rb->first) {
		struct sample *sample = rb->first;

		rb->first = sample->next;
		lost += sample->state == SUBMITTED;
		free(sample);
	}
	if (lost)
		wb_warn("%u records were submitted to a user ring buffer that was full until its end: they are lost", lost);
	if (rb->has_room.__handle)
		wasi_io_poll_pollable_drop_own(rb->has_room);
	wasm_bpf_bpf_buffers_user_ring_buffer_drop_own(rb->own);
	free(rb);
}
