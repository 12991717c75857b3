// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Keys and values that cross as numbers. libbpf has no functions for them; its own use them where they can.
#include "conformance.h"

static int map_of(enum bpf_map_type type, __u32 key_size, __u32 value_size)
{
	return OK(bpf_map_create(type, "tested", key_size, value_size, 2, NULL));
}

#define UPDATE(map, key, value, mode, error) \
	wasm_bpf_bpf_maps_method_map_update_number(map, key, value, WASM_BPF_BPF_MAPS_UPDATE_MODE_##mode, &(error))
#define LOOKUP(map, key, found, error) wasm_bpf_bpf_maps_method_map_lookup_number(map, key, &(found), &(error))

static void has(wasm_bpf_bpf_maps_borrow_map_t map, __u64 key, __u64 value)
{
	wasm_bpf_bpf_maps_error_code_t error;
	wasm_bpf_option_u64_t found;

	CHECK(LOOKUP(map, key, found, error));
	CHECK(found.is_some);
	CHECK(found.val == value);
}

static void has_not(wasm_bpf_bpf_maps_borrow_map_t map, __u64 key)
{
	wasm_bpf_bpf_maps_error_code_t error;
	wasm_bpf_option_u64_t found;

	CHECK(LOOKUP(map, key, found, error));
	CHECK(!found.is_some);
}

// Up to the largest number of each size, and not beyond.
void case_sizes(void)
{
	static const __u32 sizes[] = { 1, 2, 4, 8 };
	wasm_bpf_bpf_maps_error_code_t error;
	wasm_bpf_bpf_maps_borrow_map_t map;
	wasm_bpf_option_u64_t found;

	for (size_t i = 0; i < LENGTH(sizes); i++) {
		const __u64 largest = UINT64_MAX >> (64 - 8 * sizes[i]), below = largest - 1;
		int fd = map_of(BPF_MAP_TYPE_HASH, sizes[i], sizes[i]);
		wasm_bpf_list_u8_t key = bytes(&largest, sizes[i]);
		wasm_bpf_option_list_u8_t answer;
		__u8 value[8];

		map = raw_map(fd);
		CHECK(UPDATE(map, largest, below, ANY, error));
		has(map, largest, below);
		has_not(map, 0);
		// The same bytes that the byte functions see.
		CHECK(wasm_bpf_bpf_maps_method_map_lookup(map, &key, &answer, &error));
		CHECK(is_bytes(&answer, &below, sizes[i]));
		OK(bpf_map_lookup_elem(fd, &largest, value));
		CHECK_MEM(value, &below, sizes[i]);
		if (sizes[i] < 8) {
			// Cut off, they would be the key 0.
			FAILS_CODE(LOOKUP(map, largest + 1, found, error), error, "wrong-size");
			FAILS_CODE(UPDATE(map, largest + 1, 0, ANY, error), error, "wrong-size");
			FAILS_CODE(UPDATE(map, 0, largest + 1, ANY, error), error, "wrong-size");
			FAILS_CODE(UPDATE(map, UINT64_MAX, 0, ANY, error), error, "wrong-size");
			has_not(map, 0);
		}
	}
	// Key and value need not have the same size.
	map = raw_map(map_of(BPF_MAP_TYPE_HASH, 2, 8));
	CHECK(UPDATE(map, 3, UINT64_MAX, ANY, error));
	has(map, 3, UINT64_MAX);
}

// A map with room for two.
void case_modes(void)
{
	wasm_bpf_bpf_maps_borrow_map_t map = raw_map(map_of(BPF_MAP_TYPE_HASH, 4, 8));
	wasm_bpf_bpf_maps_error_code_t error;

	FAILS_CODE(UPDATE(map, 1, 1, REPLACE, error), error, "not-found");
	CHECK(UPDATE(map, 1, 1, CREATE, error));
	FAILS_CODE(UPDATE(map, 1, 2, CREATE, error), error, "already-exists");
	has(map, 1, 1);
	CHECK(UPDATE(map, 1, 2, REPLACE, error));
	has(map, 1, 2);
	CHECK(UPDATE(map, 2, 1, ANY, error));
	FAILS_CODE(UPDATE(map, 3, 1, ANY, error), error, "full");
}

// With one CPU a per-CPU value has a length that a number could have.
void case_no_numbers(void)
{
	static const struct {
		enum bpf_map_type type;
		__u32 key_size, value_size;
	} maps[] = {
		{ BPF_MAP_TYPE_HASH, 3, 8 },	    { BPF_MAP_TYPE_HASH, 16, 8 },
		{ BPF_MAP_TYPE_HASH, 8, 12 },	    { BPF_MAP_TYPE_HASH, 8, 3 },
		{ BPF_MAP_TYPE_PERCPU_HASH, 4, 8 }, { BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8 },
	};

	for (size_t i = 0; i < LENGTH(maps); i++) {
		wasm_bpf_bpf_maps_borrow_map_t map = raw_map(map_of(maps[i].type, maps[i].key_size, maps[i].value_size));
		wasm_bpf_bpf_maps_error_code_t error;
		wasm_bpf_option_u64_t found;

		FAILS_CODE(LOOKUP(map, 1, found, error), error, "wrong-size");
		FAILS_CODE(UPDATE(map, 1, 1, ANY, error), error, "wrong-size");
	}
}

// A number that a component writes must not become a descriptor of the host.
void case_no_keys(void)
{
	wasm_bpf_bpf_maps_borrow_map_t queue = raw_map(map_of(BPF_MAP_TYPE_QUEUE, 0, 8));
	wasm_bpf_bpf_maps_borrow_map_t programs = raw_map(map_of(BPF_MAP_TYPE_PROG_ARRAY, 4, 4));
	wasm_bpf_bpf_maps_error_code_t error;
	wasm_bpf_option_u64_t found;

	FAILS_CODE(LOOKUP(queue, 0, found, error), error, "not-supported");
	FAILS_CODE(UPDATE(queue, 0, 0, ANY, error), error, "not-supported");
	for (__u64 number = 0; number < 16; number++)
		FAILS_CODE(UPDATE(programs, 0, number, ANY, error), error, "not-supported");
	has_not(programs, 0);
}
