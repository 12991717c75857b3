// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Looking up and storing with flags: the interface's own functions, for libbpf's have no lengths and sort the flags out.
#include "conformance.h"

// Newer than the headers of some systems.
#define ONE_CPU 8ull
#define ALL_CPUS 16ull
#define ON_CPU(cpu) (ONE_CPU | (__u64)(cpu) << 32)

static const __u8 KEY[4] = { 1 };

typedef wasm_bpf_bpf_maps_error_code_t code;

static int map_of(enum bpf_map_type type)
{
	return OK(bpf_map_create(type, "tested", 4, 4, 4, NULL));
}

static bool update(int map, size_t key_length, const void *value, size_t length, __u64 flags, code *error)
{
	wasm_bpf_list_u8_t key = bytes(KEY, key_length), values = bytes(value, length);

	return wasm_bpf_bpf_maps_method_map_update_with(raw_map(map), &key, &values, flags, error);
}

static bool look_up(int map, size_t key_length, __u64 flags, wasm_bpf_option_list_u8_t *found, code *error)
{
	wasm_bpf_list_u8_t key = bytes(KEY, key_length);

	return wasm_bpf_bpf_maps_method_map_lookup_with(raw_map(map), &key, flags, found, error);
}

static bool take(int map, size_t key_length, __u64 flags, wasm_bpf_option_list_u8_t *found, code *error)
{
	wasm_bpf_list_u8_t key = bytes(KEY, key_length);

	return wasm_bpf_bpf_maps_method_map_lookup_and_delete_with(raw_map(map), &key, flags, found, error);
}

static __u32 four(__u8 byte)
{
	return byte * 0x01010101u;
}

// All of them, with each flag.
void case_modes(void)
{
	int map = map_of(BPF_MAP_TYPE_HASH);
	const __u32 values[] = { four(0), four(1), four(2), four(3), four(4) };
	wasm_bpf_option_list_u8_t found;
	static const __u8 other[4] = { 9, 9, 9, 9 };
	wasm_bpf_list_u8_t key = bytes(other, 4);
	__u32 value;
	code error;

	FAILS_CODE(update(map, 4, &values[1], 4, BPF_EXIST, &error), error, "not-found");
	CHECK(update(map, 4, &values[2], 4, BPF_NOEXIST, &error));
	FAILS_CODE(update(map, 4, &values[3], 4, BPF_NOEXIST, &error), error, "already-exists");
	OK(bpf_map_lookup_elem(map, KEY, &value));
	CHECK_EQ(value, values[2]);
	CHECK(update(map, 4, &values[4], 4, BPF_EXIST, &error));
	CHECK(look_up(map, 4, BPF_ANY, &found, &error));
	CHECK(is_bytes(&found, &values[4], 4));
	CHECK(wasm_bpf_bpf_maps_method_map_lookup_with(raw_map(map), &key, BPF_ANY, &found, &error));
	CHECK(!found.is_some);
}

// Once.
void case_taken(void)
{
	int map = map_of(BPF_MAP_TYPE_HASH);
	const __u32 value = four(1);
	wasm_bpf_option_list_u8_t found;
	code error;

	CHECK(update(map, 4, &value, 4, BPF_ANY, &error));
	FAILS_CODE(take(map, 4, BPF_F_LOCK, &found, &error), error, "invalid-argument");
	CHECK(take(map, 4, BPF_ANY, &found, &error));
	CHECK(is_bytes(&found, &value, 4));
	CHECK(take(map, 4, BPF_ANY, &found, &error));
	CHECK(!found.is_some);
	FAILS_CODE(take(map, 3, BPF_ANY, &found, &error), error, "wrong-size");
}

static __u64 *for_all_cpus(size_t count)
{
	return SOME((__u64 *)calloc(count, sizeof(__u64)));
}

// The last CPU's value of each kind.
void case_one_cpu(void)
{
	static const enum bpf_map_type types[] = { BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_PERCPU_HASH, BPF_MAP_TYPE_LRU_PERCPU_HASH };
	const __u32 count = number("possible-cpus"), last = count - 1, new = four(99);
	__u64 *values = for_all_cpus(count), *seen = for_all_cpus(count), *longer = for_all_cpus(count + 1);

	for (size_t i = 0; i < LENGTH(types); i++) {
		int map = map_of(types[i]);
		wasm_bpf_option_list_u8_t found;
		code error;

		for (__u32 cpu = 0; cpu < count; cpu++)
			values[cpu] = four(cpu);
		OK(bpf_map_update_elem(map, KEY, values, BPF_ANY));
		for (__u32 cpu = 0; cpu < count; cpu++) {
			const __u32 expected = four(cpu);

			CHECK(look_up(map, 4, ON_CPU(cpu), &found, &error));
			CHECK(is_bytes(&found, &expected, 4));
		}
		CHECK(update(map, 4, &new, 4, ON_CPU(last) | BPF_EXIST, &error));
		values[last] = new;
		OK(bpf_map_lookup_elem(map, KEY, seen));
		for (__u32 cpu = 0; cpu < count; cpu++)
			CHECK_EQ((__u32)seen[cpu], (__u32)values[cpu]);
		// Of one CPU, or of all: by their length one is not taken for the other.
		FAILS_CODE(update(map, 4, longer, (count + 1) * 8, ON_CPU(last) | BPF_EXIST, &error), error, "wrong-size");
	}
}

// The same for each.
void case_all_cpus(void)
{
	const __u32 count = number("possible-cpus");
	const __u8 sevens[5] = { 7, 7, 7, 7, 7 };
	int map = map_of(BPF_MAP_TYPE_PERCPU_HASH);
	__u64 *seen = for_all_cpus(count);
	wasm_bpf_option_list_u8_t found;
	code error;

	CHECK(update(map, 4, sevens, 4, ALL_CPUS, &error));
	OK(bpf_map_lookup_elem(map, KEY, seen));
	for (__u32 cpu = 0; cpu < count; cpu++)
		CHECK_MEM(&seen[cpu], sevens, 4);
	FAILS_CODE(update(map, 4, sevens, 5, ALL_CPUS, &error), error, "wrong-size");
	// There is not one value to read.
	FAILS_CODE(look_up(map, 4, ALL_CPUS, &found, &error), error, "invalid-argument");
}

// Whatever the kernel would make of them.
void case_unknown(void)
{
	const __u64 count = number("possible-cpus");
	const __u64 bad[] = {
		3, 32, 1ull << 31, 1ull << 32, 4 | 1ull << 32, 8 | 16, 16 | 1ull << 32, ON_CPU(count), ON_CPU(UINT32_MAX), UINT64_MAX,
	};
	const __u64 one_sided[] = { ON_CPU(0), ALL_CPUS, BPF_F_LOCK };
	const int maps[] = { map_of(BPF_MAP_TYPE_HASH), map_of(BPF_MAP_TYPE_PERCPU_HASH) };
	const size_t lengths[] = { 4, count * 8 };
	__u64 *zeros = for_all_cpus(count);
	wasm_bpf_option_list_u8_t found;
	__u32 value;
	code error;

	for (size_t i = 0; i < LENGTH(bad); i++) {
		for (size_t j = 0; j < LENGTH(maps); j++) {
			FAILS_CODE(look_up(maps[j], 4, bad[i], &found, &error), error, "invalid-argument");
			FAILS_CODE(update(maps[j], 4, zeros, lengths[j], bad[i], &error), error, "invalid-argument");
			FAILS_CODE(take(maps[j], 4, bad[i], &found, &error), error, "invalid-argument");
		}
	}
	// Not per CPU, and no lock in the value.
	for (size_t i = 0; i < LENGTH(one_sided); i++)
		FAILS_CODE(update(maps[0], 4, zeros, 4, one_sided[i], &error), error, "invalid-argument");
	FAILS(bpf_map_lookup_elem(maps[0], KEY, &value), "not-found");
}

// No number becomes a map, and what has no keys has none.
void case_kinds(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .inner_map_fd = map_of(BPF_MAP_TYPE_ARRAY));
	int outer = OK(bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "outer", 4, 4, 4, &opts));
	// Kernels before 5.8 have no ring buffers.
	const int maps[] = {
		OK(bpf_map_create(BPF_MAP_TYPE_QUEUE, "queue", 0, 4, 4, NULL)), bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ring", 0, 0, 4096, NULL),
	};
	static const __u8 zeros[4];
	wasm_bpf_option_list_u8_t found;
	code error;

	for (__u32 value = 0; value < 16; value++)
		FAILS_CODE(update(outer, 4, &value, sizeof(value), BPF_ANY, &error), error, "not-supported");
	CHECK(look_up(outer, 4, BPF_ANY, &found, &error));
	CHECK(!found.is_some);
	for (size_t i = 0; i < LENGTH(maps); i++) {
		if (maps[i] < 0)
			continue;
		FAILS_CODE(look_up(maps[i], 0, BPF_ANY, &found, &error), error, "not-supported");
		FAILS_CODE(update(maps[i], 0, zeros, 4, BPF_ANY, &error), error, "not-supported");
		FAILS_CODE(take(maps[i], 0, BPF_ANY, &found, &error), error, "not-supported");
	}
}
