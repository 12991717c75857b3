// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Single keys and values.
#include <sys/mman.h>
#include <unistd.h>

#include "conformance.h"

static int map_of(enum bpf_map_type type, __u32 key_size, __u32 value_size, __u32 entries)
{
	return OK(bpf_map_create(type, "tested", key_size, value_size, entries, NULL));
}

// The bytes of keys and values.
#define BYTES(...) ((const __u8[]){ __VA_ARGS__ })

static void has(int fd, const void *key, const void *expected, size_t size)
{
	__u8 value[64];

	CHECK(size <= sizeof(value));
	OK(bpf_map_lookup_elem(fd, key, value));
	CHECK_MEM(value, expected, size);
}

static void has_not(int fd, const void *key)
{
	__u8 value[64];

	FAILS(bpf_map_lookup_elem(fd, key, value), "not-found");
}

// What is stored is found until it is replaced or deleted.
void case_values(void)
{
	int fd = map_of(BPF_MAP_TYPE_HASH, 2, 3, 4), second;
	const __u8 *key = BYTES(1, 2), *other = BYTES(9, 9);
	struct bpf_map_info info = {};
	wasm_bpf_bpf_maps_map_info_t more;
	__u32 size = sizeof(info);

	has_not(fd, key);
	OK(bpf_map_update_elem(fd, key, BYTES(3, 4, 5), BPF_ANY));
	has(fd, key, BYTES(3, 4, 5), 3);
	OK(bpf_map_update_elem(fd, key, BYTES(6, 7, 8), BPF_ANY));
	has(fd, key, BYTES(6, 7, 8), 3);
	OK(bpf_map_delete_elem(fd, key));
	has_not(fd, key);
	FAILS(bpf_map_delete_elem(fd, key), "not-found");
	OK(bpf_map_get_info_by_fd(fd, &info, &size));
	CHECK_STR(info.name, "tested");
	CHECK_EQ(info.type, BPF_MAP_TYPE_HASH);
	CHECK_EQ(info.key_size, 2);
	CHECK_EQ(info.value_size, 3);
	CHECK_EQ(info.max_entries, 4);
	wasm_bpf_bpf_maps_method_map_info(raw_map(fd), &more);
	CHECK_EQ(more.value_length, 3);
	wasm_bpf_bpf_maps_map_info_free(&more);
	// A second descriptor is of the same map.
	second = OK(dup(fd));
	OK(bpf_map_update_elem(fd, other, BYTES(1, 1, 1), BPF_ANY));
	OK(close(fd));
	has(second, other, BYTES(1, 1, 1), 3);
}

// Each mode against a key that is there and one that is not, with bytes: numbers have a folder of their own.
void case_update_modes(void)
{
	int fd = map_of(BPF_MAP_TYPE_HASH, 3, 3, 4);
	const __u8 *key = BYTES(1, 1, 1), *old = BYTES(2, 2, 2), *new = BYTES(3, 3, 3);

	FAILS(bpf_map_update_elem(fd, key, old, BPF_EXIST), "not-found");
	OK(bpf_map_update_elem(fd, key, old, BPF_NOEXIST));
	FAILS(bpf_map_update_elem(fd, key, new, BPF_NOEXIST), "already-exists");
	has(fd, key, old, 3);
	OK(bpf_map_update_elem(fd, key, new, BPF_EXIST));
	has(fd, key, new, 3);
}

// Of all kinds of hash table.
void case_taken(void)
{
	static const enum bpf_map_type types[] = { BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_LRU_HASH, BPF_MAP_TYPE_PERCPU_HASH };
	const size_t possible_cpus = number("possible-cpus");
	const __u8 *key = BYTES(1, 1, 1, 1);

	for (size_t i = 0; i < LENGTH(types); i++) {
		const size_t length = types[i] == BPF_MAP_TYPE_PERCPU_HASH ? possible_cpus * 8 : 8;
		int fd = map_of(types[i], 4, 8, 4);
		__u8 *value = SOME(malloc(length)), *taken = SOME(calloc(1, length));

		memset(value, 2, length);
		FAILS(bpf_map_lookup_and_delete_elem(fd, key, taken), "not-found");
		OK(bpf_map_update_elem(fd, key, value, BPF_ANY));
		OK(bpf_map_lookup_and_delete_elem(fd, key, taken));
		CHECK_MEM(taken, value, length);
		FAILS(bpf_map_lookup_elem(fd, key, taken), "not-found");
		FAILS(bpf_map_lookup_and_delete_elem(fd, key, taken), "not-found");
		free(value);
		free(taken);
	}
}

// What is different for indexes.
void case_array(void)
{
	static const __u32 last = 2, end = 3;
	int fd = map_of(BPF_MAP_TYPE_ARRAY, 4, 3, 3);
	const __u8 *zeros = BYTES(0, 0, 0), *sevens = BYTES(7, 7, 7);
	__u8 value[3];

	has(fd, &last, zeros, 3);
	OK(bpf_map_update_elem(fd, &last, sevens, BPF_EXIST));
	has(fd, &last, sevens, 3);
	FAILS(bpf_map_update_elem(fd, &last, BYTES(8, 8, 8), BPF_NOEXIST), "already-exists");
	has_not(fd, &end);
	FAILS(bpf_map_update_elem(fd, &end, sevens, BPF_ANY), "full");
	FAILS(bpf_map_delete_elem(fd, &last), "invalid-argument");
	FAILS(bpf_map_lookup_and_delete_elem(fd, &last, value), "not-supported");
	has(fd, &last, sevens, 3);
}

// Room for three keys.
void case_full(void)
{
	int fd = map_of(BPF_MAP_TYPE_HASH, 3, 3, 3);

	for (__u8 number = 0; number < 3; number++)
		OK(bpf_map_update_elem(fd, BYTES(number, number, number), BYTES(number, number, number), BPF_NOEXIST));
	FAILS(bpf_map_update_elem(fd, BYTES(9, 9, 9), BYTES(0, 0, 0), BPF_ANY), "full");
	OK(bpf_map_update_elem(fd, BYTES(1, 1, 1), BYTES(7, 7, 7), BPF_ANY));
	OK(bpf_map_delete_elem(fd, BYTES(0, 0, 0)));
	OK(bpf_map_update_elem(fd, BYTES(9, 9, 9), BYTES(8, 8, 8), BPF_ANY));
	has(fd, BYTES(1, 1, 1), BYTES(7, 7, 7), 3);
	has(fd, BYTES(9, 9, 9), BYTES(8, 8, 8), 3);
}

#define UPDATE(map, key, value, error) wasm_bpf_bpf_maps_method_map_update(map, key, value, WASM_BPF_BPF_MAPS_UPDATE_MODE_ANY, &(error))

// The kernel would read past the end of what is too short. libbpf's functions have no lengths, so these are the interface's.
void case_sizes(void)
{
	static const size_t keys[] = { 0, 3, 5, 4096 }, values[] = { 0, 7, 9, 4096 };
	static const __u8 zeros[4096];
	int fd = map_of(BPF_MAP_TYPE_HASH, 4, 8, 4);
	wasm_bpf_bpf_maps_borrow_map_t map = raw_map(fd);
	wasm_bpf_bpf_maps_error_code_t error;
	wasm_bpf_option_list_u8_t found;
	wasm_bpf_list_u8_t key, value, page;
	bool was_there;
	__u32 first;

	value = bytes(zeros, 8);
	for (size_t i = 0; i < LENGTH(keys); i++) {
		key = bytes(zeros, keys[i]);
		FAILS_CODE(UPDATE(map, &key, &value, error), error, "wrong-size");
		FAILS_CODE(wasm_bpf_bpf_maps_method_map_lookup(map, &key, &found, &error), error, "wrong-size");
		FAILS_CODE(wasm_bpf_bpf_maps_method_map_delete(map, &key, &was_there, &error), error, "wrong-size");
		FAILS_CODE(wasm_bpf_bpf_maps_method_map_lookup_and_delete(map, &key, &found, &error), error, "wrong-size");
		FAILS_CODE(wasm_bpf_bpf_maps_method_map_next_key(map, &key, &found, &error), error, "wrong-size");
		FAILS_CODE(wasm_bpf_bpf_maps_method_map_keys(map, &key, 1, &page, &error), error, "wrong-size");
	}
	key = bytes(zeros, 4);
	for (size_t i = 0; i < LENGTH(values); i++) {
		value = bytes(zeros, values[i]);
		FAILS_CODE(UPDATE(map, &key, &value, error), error, "wrong-size");
	}
	// Nothing came in.
	FAILS(bpf_map_get_next_key(fd, NULL, &first), "not-found");
}

// Every function that would change it.
void case_frozen(void)
{
	static const __u32 one = 1, two = 2, three = 3;
	int fd = map_of(BPF_MAP_TYPE_HASH, 4, 4, 4);
	wasm_bpf_bpf_maps_borrow_map_t map = raw_map(fd);
	wasm_bpf_list_u8_t key = bytes(&one, sizeof(one)), value = bytes(&three, sizeof(three));
	wasm_bpf_bpf_maps_error_code_t error;
	wasm_bpf_bpf_maps_deleted_t deleted;
	wasm_bpf_bpf_maps_updated_t updated;
	wasm_bpf_bpf_maps_own_walk_t walk;
	wasm_bpf_bpf_maps_batch_t batch;
	__u32 taken, count;

	OK(bpf_map_update_elem(fd, &one, &two, BPF_ANY));
	OK(bpf_map_freeze(fd));
	FAILS(bpf_map_update_elem(fd, &one, &three, BPF_ANY), "not-permitted");
	FAILS_CODE(UPDATE(map, &key, &value, error), error, "not-permitted");
	FAILS_CODE(wasm_bpf_bpf_maps_method_map_update_number(map, 1, 3, WASM_BPF_BPF_MAPS_UPDATE_MODE_ANY, &error), error, "not-permitted");
	count = 1;
	FAILS(bpf_map_update_batch(fd, &one, &three, &count, NULL), "not-permitted");
	CHECK_EQ(count, 0);
	CHECK(wasm_bpf_bpf_maps_method_map_update_many(map, &key, &value, WASM_BPF_BPF_MAPS_UPDATE_MODE_ANY, &updated, &error));
	CHECK_EQ(updated.count, 0);
	CHECK(updated.failed.is_some);
	CHECK_STR(code_name(&updated.failed.val), "not-permitted");
	FAILS(bpf_map_delete_elem(fd, &one), "not-permitted");
	count = 1;
	FAILS(bpf_map_delete_batch(fd, &one, &count, NULL), "not-permitted");
	CHECK_EQ(count, 0);
	CHECK(wasm_bpf_bpf_maps_method_map_delete_many(map, &key, &deleted, &error));
	CHECK_EQ(deleted.count, 0);
	CHECK(deleted.failed.is_some);
	CHECK_STR(code_name(&deleted.failed.val), "not-permitted");
	FAILS(bpf_map_lookup_and_delete_elem(fd, &one, &taken), "not-permitted");
	CHECK(wasm_bpf_bpf_maps_static_walk_start(map, true, &walk, &error));
	FAILS_CODE(wasm_bpf_bpf_maps_method_walk_next(wasm_bpf_bpf_maps_borrow_walk(walk), 1, &batch, &error), error, "not-permitted");
	wasm_bpf_bpf_maps_walk_drop_own(walk);
	has(fd, &one, &two, sizeof(two));
	CHECK(wasm_bpf_bpf_maps_static_walk_start(map, false, &walk, &error));
	CHECK(wasm_bpf_bpf_maps_method_walk_next(wasm_bpf_bpf_maps_borrow_walk(walk), 9, &batch, &error));
	CHECK_EQ(batch.count, 1);
	wasm_bpf_list_u8_free(&batch.keys);
	wasm_bpf_list_u8_free(&batch.values);
	wasm_bpf_bpf_maps_walk_drop_own(walk);
}

// It changes nothing.
void case_frozen_twice(void)
{
	static const __u32 one = 1, zero = 0;
	int fd = map_of(BPF_MAP_TYPE_ARRAY, 4, 4, 4);

	OK(bpf_map_freeze(fd));
	FAILS(bpf_map_freeze(fd), "not-permitted");
	has(fd, &one, &zero, sizeof(zero));
}

// Whether it can be written to through memory.
static bool is_writable(int fd)
{
	wasm_bpf_bpf_mapped_memory_own_mapping_t memory;
	wasm_bpf_bpf_mapped_memory_error_t error;
	bool is;

	CHECK(wasm_bpf_bpf_mapped_memory_static_mapping_open(raw_map(fd), &memory, &error));
	is = wasm_bpf_bpf_mapped_memory_method_mapping_is_writable(wasm_bpf_bpf_mapped_memory_borrow_mapping(memory));
	wasm_bpf_bpf_mapped_memory_mapping_drop_own(memory);
	return is;
}

void case_frozen_while_mapped(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	int fd = OK(bpf_map_create(BPF_MAP_TYPE_ARRAY, "tested", 4, 8, 1, &options));
	void *memory = mmap(NULL, 8, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	CHECK(memory != MAP_FAILED);
	CHECK(is_writable(fd));
	FAILS(bpf_map_freeze(fd), "busy");
	OK(munmap(memory, 8));
	OK(bpf_map_freeze(fd));
	CHECK(!is_writable(fd));
}
