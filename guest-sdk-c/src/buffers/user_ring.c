// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// User ring buffers. A record is memory of the guest until it is submitted; the host then writes it whole.
//
// Whether there is room is only known then. A record that finds none waits in the guest, and as long as one does, no further one is
// reserved: the program sees a full ring as it would see libbpf's, one record later.
#include <stdlib.h>

#include <bpf/libbpf.h>

#include "errors.h"
#include "globals.h"
#include "map_handle.h"
#include "object.h"
#include "options.h"
#include "stop.h"

// A record has a header of this size in the ring.
#define HEADER 8u

struct sample {
	struct sample *next;
	uint32_t size;
	// 8 bytes are what the ring aligns to.
	_Alignas(8) unsigned char data[];
};

struct user_ring_buffer {
	wasm_bpf_bpf_buffers_own_user_ring_buffer_t own;
	wasm_bpf_bpf_buffers_borrow_user_ring_buffer_t handle;
	uint32_t room;
	// Submitted and not yet written, in their order.
	struct sample *waiting, **last;
};

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
		return wb_null(wb_refuse(ENOMEM, "no memory for a user ring buffer"));
	if (!wasm_bpf_bpf_buffers_static_user_ring_buffer_open(map->handle, &rb->own, &error)) {
		free(rb);
		return wb_null(wb_fail(&error, "open a user ring buffer"));
	}
	rb->handle = wasm_bpf_bpf_buffers_borrow_user_ring_buffer(rb->own);
	rb->room = map->max_entries;
	rb->last = &rb->waiting;
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

// Writes what waits, as far as there is room.
static void write_waiting(struct user_ring_buffer *rb)
{
	while (rb->waiting && write_one(rb, rb->waiting)) {
		struct sample *written = rb->waiting;

		rb->waiting = written->next;
		free(written);
	}
	if (!rb->waiting)
		rb->last = &rb->waiting;
}

void *user_ring_buffer__reserve(struct user_ring_buffer *rb, __u32 size)
{
	struct sample *sample;

	// As libbpf: two bits of the length are flags, and header and record have to fit.
	if (size & 0xc0000000u || size > rb->room - HEADER)
		return wb_null(wb_refuse(E2BIG, "a record of %u bytes is larger than the user ring buffer", size));
	WB_CALL;
	write_waiting(rb);
	if (rb->waiting)
		return wb_null(-ENOSPC);
	sample = malloc(sizeof(*sample) + size);
	if (!sample)
		return wb_null(wb_refuse(ENOMEM, "no memory for a record of %u bytes", size));
	sample->next = NULL;
	sample->size = size;
	return sample->data;
}

// How long to wait between looks: the ring being ready means some room, not room for every record.
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

void user_ring_buffer__submit(struct user_ring_buffer *rb, void *data)
{
	struct sample *sample = sample_of(data);

	WB_CALL;
	*rb->last = sample;
	rb->last = &sample->next;
	write_waiting(rb);
}

void user_ring_buffer__discard(struct user_ring_buffer *rb, void *data)
{
	(void)rb;
	free(sample_of(data));
}

void user_ring_buffer__free(struct user_ring_buffer *rb)
{
	unsigned int lost = 0;

	if (!rb)
		return;
	WB_CALL;
	write_waiting(rb);
	while (rb->waiting) {
		struct sample *sample = rb->waiting;

		rb->waiting = sample->next;
		free(sample);
		lost++;
	}
	if (lost)
		wb_warn("%u records were submitted to a user ring buffer that was full until its end: they are lost", lost);
	wasm_bpf_bpf_buffers_user_ring_buffer_drop_own(rb->own);
	free(rb);
}
