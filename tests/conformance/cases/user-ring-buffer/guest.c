// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// User ring buffers: what a component sends to programs arrives in order, or is refused.
#include "conformance.h"

#include <unistd.h>

#include "case.skel.h"

typedef wasm_bpf_bpf_buffers_borrow_user_ring_buffer_t raw_ring;
typedef wasm_bpf_bpf_buffers_own_pollable_t pollable;

static struct case_bpf *attached(void)
{
	struct case_bpf *skel = SOME(case_bpf__open());

	skel->rodata->trigger_thread = trigger_thread();
	skel->rodata->trigger_syscall = trigger_syscall();
	OK(case_bpf__load(skel));
	OK(case_bpf__attach(skel));
	return skel;
}

// The interface's own, where libbpf's functions do not tell what becomes of a single record.
static raw_ring opened(int fd)
{
	wasm_bpf_bpf_buffers_own_user_ring_buffer_t ring;
	wasm_bpf_bpf_buffers_error_t error;

	CHECK(wasm_bpf_bpf_buffers_static_user_ring_buffer_open(raw_map(fd), &ring, &error));
	return wasm_bpf_bpf_buffers_borrow_user_ring_buffer(ring);
}

static void drop(raw_ring ring)
{
	wasm_bpf_bpf_buffers_user_ring_buffer_drop_own((wasm_bpf_bpf_buffers_own_user_ring_buffer_t){ ring.__handle });
}

static pollable has_room_in(raw_ring ring)
{
	return wasm_bpf_bpf_buffers_method_user_ring_buffer_subscribe(ring);
}

static bool is_ready(pollable it)
{
	return wasi_io_poll_method_pollable_ready(wasi_io_poll_borrow_pollable(it));
}

static void block(pollable it)
{
	wasi_io_poll_method_pollable_block(wasi_io_poll_borrow_pollable(it));
}

// A number, and bytes behind it.
static void fill(void *record, __u64 number, size_t length)
{
	memset(record, 0xa5, length);
	memcpy(record, &number, sizeof(number));
}

static bool try_to_write(raw_ring ring, __u64 number, size_t length, wasm_bpf_bpf_buffers_error_code_t *error)
{
	static __u8 record[1 << 20];
	wasm_bpf_list_u8_t data = bytes(record, length);

	CHECK(length <= sizeof(record));
	fill(record, number, length);
	return wasm_bpf_bpf_buffers_method_user_ring_buffer_write(ring, &data, error);
}

static void write_one(raw_ring ring, __u64 number, size_t length)
{
	wasm_bpf_bpf_buffers_error_code_t error;

	CHECK(try_to_write(ring, number, length, &error));
}

static __u64 variable(struct case_bpf *skel, const __u64 *place)
{
	__u64 values[sizeof(*skel->bss) / 8];
	__u32 key = 0;

	// Asked of the map itself, which is not the copy that the skeleton has.
	OK(bpf_map__lookup_elem(skel->maps.bss, &key, sizeof(key), values, sizeof(*skel->bss), 0));
	CHECK_EQ(*place, values[place - (const __u64 *)skel->bss]);
	return *place;
}

static void check_received(struct case_bpf *skel, __u64 count)
{
	CHECK_EQ(variable(skel, &skel->bss->received), count);
	CHECK_EQ(variable(skel, &skel->bss->wrong), 0);
}

// Six of them take some 300 bytes; thirty times that goes around the ring twice.
void case_in_order(void)
{
	static const size_t lengths[] = { 8, 9, 100 };
	struct case_bpf *skel = attached();
	struct user_ring_buffer *ring = SOME(user_ring_buffer__new(bpf_map__fd(skel->maps.commands), NULL));
	__u64 sent = 0;

	for (int round = 1; round <= 30; round++) {
		for (size_t i = 0; i < LENGTH(lengths); i++) {
			void *sample = SOME(user_ring_buffer__reserve(ring, lengths[i]));

			fill(sample, sent++, lengths[i]);
			user_ring_buffer__submit(ring, sample);
			sample = SOME(user_ring_buffer__reserve_blocking(ring, lengths[i], -1));
			fill(sample, sent++, lengths[i]);
			user_ring_buffer__submit(ring, sample);
			// One that is discarded is none for the program.
			user_ring_buffer__discard(ring, SOME(user_ring_buffer__reserve(ring, lengths[i])));
		}
		pull(1);
		check_received(skel, round * 6);
		CHECK_EQ(variable(skel, &skel->bss->last_length), 100);
	}
	user_ring_buffer__free(ring);
	case_bpf__destroy(skel);
}

void case_full(void)
{
	struct case_bpf *skel = attached();
	raw_ring ring = opened(bpf_map__fd(skel->maps.commands));
	pollable has_room = has_room_in(ring);
	wasm_bpf_bpf_buffers_error_code_t error;

	CHECK(is_ready(has_room));
	// 64 bytes each with the header.
	for (__u64 number = 0; number < 4096 / 64; number++)
		write_one(ring, number, 56);
	FAILS_CODE(try_to_write(ring, 64, 56, &error), error, "no-space");
	CHECK(!is_ready(has_room));
	begin_to_pull(1);
	block(has_room);
	CHECK(is_ready(has_room));
	// The program may have been in the middle of it.
	pull(1);
	check_received(skel, 64);
	write_one(ring, 64, 56);
	pull(1);
	check_received(skel, 65);
}

void case_sizes(void)
{
	static const size_t lengths[] = { 4089, 4096, 1 << 20 };
	struct case_bpf *skel = attached();
	raw_ring ring = opened(bpf_map__fd(skel->maps.commands));
	wasm_bpf_list_u8_t empty = {};
	wasm_bpf_bpf_buffers_error_code_t error;

	for (size_t i = 0; i < LENGTH(lengths); i++)
		FAILS_CODE(try_to_write(ring, 0, lengths[i], &error), error, "wrong-size");
	write_one(ring, 0, 4088);
	pull(1);
	check_received(skel, 1);
	// An empty one is one; the program here has no use for it.
	CHECK(wasm_bpf_bpf_buffers_method_user_ring_buffer_write(ring, &empty, &error));
	write_one(ring, 1, 8);
	pull(1);
	check_received(skel, 2);
}

static int map_of(enum bpf_map_type type, const char *name, __u32 size, __u32 max_entries)
{
	return OK(bpf_map_create(type, name, size, size, max_entries, NULL));
}

// The library looks at the kind itself: this asks the host.
void case_wrong_maps(void)
{
	int hash = map_of(BPF_MAP_TYPE_HASH, "hash", 4, 1), down = map_of(BPF_MAP_TYPE_RINGBUF, "down", 0, 4096);
	int up = map_of(BPF_MAP_TYPE_USER_RINGBUF, "up", 0, 4096);
	wasm_bpf_bpf_buffers_own_user_ring_buffer_t ring;
	wasm_bpf_bpf_maps_error_code_t code;
	wasm_bpf_option_list_u8_t found;
	wasm_bpf_list_u8_t key = {};
	wasm_bpf_bpf_buffers_error_t error;

	FAILS_ERROR(wasm_bpf_bpf_buffers_static_user_ring_buffer_open(raw_map(hash), &ring, &error), error, "invalid-argument", "hash");
	FAILS_ERROR(wasm_bpf_bpf_buffers_static_user_ring_buffer_open(raw_map(down), &ring, &error), error, "invalid-argument", "down");
	FAILS_NULL(user_ring_buffer__new(hash, NULL), "invalid-argument");
	FAILS_CODE(wasm_bpf_bpf_maps_method_map_lookup(raw_map(up), &key, &found, &code), code, "not-supported");
}

// One that no program drains.
static int quiet_map(void)
{
	return map_of(BPF_MAP_TYPE_USER_RINGBUF, "quiet", 0, 4096);
}

void case_pollable(void)
{
	struct case_bpf *skel = attached();
	raw_ring ring = opened(bpf_map__fd(skel->maps.commands));
	pollable has_room = has_room_in(ring);
	int fd;

	write_one(ring, 0, 4088);
	drop(ring);
	CHECK(!is_ready(has_room));
	begin_to_pull(1);
	block(has_room);
	pull(1);
	check_received(skel, 1);
	// Nothing else is left of this one.
	fd = quiet_map();
	ring = opened(fd);
	OK(close(fd));
	has_room = has_room_in(ring);
	write_one(ring, 0, 4088);
	drop(ring);
	CHECK(!is_ready(has_room));
}

// Each ring buffer takes a descriptor at least: the limit is met at some point, and not by those that are gone.
void case_limit(void)
{
	struct user_ring_buffer *kept[64], *next;
	int fd = quiet_map();
	size_t count = 0;

	for (int i = 0; i < 100; i++)
		user_ring_buffer__free(SOME(user_ring_buffer__new(fd, NULL)));
	for (;;) {
		next = user_ring_buffer__new(fd, NULL);
		if (!next)
			break;
		CHECK(count < LENGTH(kept));
		kept[count++] = next;
	}
	FAILS_NULL(next, "limit-exceeded", "descriptors");
	while (count)
		user_ring_buffer__free(kept[--count]);
	user_ring_buffer__free(SOME(user_ring_buffer__new(fd, NULL)));
}

// Those that are dropped do not count.
void case_too_many_pollables(void)
{
	raw_ring ring = opened(quiet_map());

	for (int i = 0; i < 200; i++)
		wasi_io_poll_pollable_drop_own(has_room_in(ring));
	traps_now();
	for (int i = 0; i < 65; i++)
		has_room_in(ring);
}

// Nobody makes room.
void case_stop_while_subscribed(void)
{
	raw_ring ring = opened(quiet_map());
	pollable has_room;

	write_one(ring, 0, 4088);
	has_room = has_room_in(ring);
	stop_soon();
	CHECK(!is_ready(has_room));
	block(has_room);
	CHECK(wasm_bpf_stop_requested());
}
