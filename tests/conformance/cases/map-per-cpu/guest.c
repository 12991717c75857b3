// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Maps with a value for each CPU.
#include "conformance.h"

#include "case.skel.h"

// Room for the values of all possible CPUs.
#define CPUS 512
#define PLACES (CPUS * 16)

static int map_of(enum bpf_map_type type, __u32 value_size)
{
	return OK(bpf_map_create(type, "tested", 4, value_size, 2, NULL));
}

static size_t possible_cpus(void)
{
	size_t count = number("possible-cpus");

	CHECK(count <= CPUS);
	CHECK_EQ(libbpf_num_possible_cpus(), count);
	return count;
}

// A different value of `size` bytes for each CPU, in places of a multiple of 8 bytes: how many bytes these are.
static size_t packed(__u8 values[PLACES], size_t size, __u8 seed)
{
	size_t count = possible_cpus(), place = (size + 7) / 8 * 8;

	memset(values, 0, PLACES);
	for (size_t cpu = 0; cpu < count; cpu++) {
		for (size_t at = 0; at < size; at++)
			values[cpu * place + at] = seed + (__u8)(cpu * 16 + at);
	}
	return count * place;
}

// A walk has each with its own key.
static void walk(int fd, size_t length, const __u8 *first, const __u8 *second)
{
	wasm_bpf_bpf_maps_error_code_t error;
	wasm_bpf_bpf_maps_own_walk_t own;
	wasm_bpf_bpf_maps_batch_t batch;
	__u32 count = 0;

	CHECK(wasm_bpf_bpf_maps_static_walk_start(raw_map(fd), false, &own, &error));
	do {
		CHECK(wasm_bpf_bpf_maps_method_walk_next(wasm_bpf_bpf_maps_borrow_walk(own), UINT32_MAX, &batch, &error));
		CHECK_EQ(batch.keys.len, batch.count * sizeof(__u32));
		CHECK_EQ(batch.values.len, batch.count * length);
		for (__u32 i = 0; i < batch.count; i++) {
			__u32 key;

			memcpy(&key, batch.keys.ptr + i * sizeof(key), sizeof(key));
			CHECK_MEM(batch.values.ptr + i * length, key ? second : first, length);
		}
		count += batch.count;
		wasm_bpf_list_u8_free(&batch.keys);
		wasm_bpf_list_u8_free(&batch.values);
	} while (batch.count);
	CHECK_EQ(count, 2);
	wasm_bpf_bpf_maps_walk_drop_own(own);
}

// Through all functions that take or give values.
static void try_size(enum bpf_map_type type, size_t size)
{
	static const __u32 zero = 0, one = 1, keys[2] = { 1, 0 };
	static __u8 first[PLACES], second[PLACES], value[PLACES];
	const size_t length = packed(first, size, 1);
	wasm_bpf_list_u8_t both = bytes(keys, sizeof(keys));
	wasm_bpf_bpf_maps_found_values_t found;
	wasm_bpf_bpf_maps_error_code_t error;
	wasm_bpf_bpf_maps_map_info_t info;
	int fd = map_of(type, size);
	__u32 count = 1;

	packed(second, size, 101);
	wasm_bpf_bpf_maps_method_map_info(raw_map(fd), &info);
	CHECK_EQ(info.value_size, size);
	CHECK_EQ(info.value_length, length);
	wasm_bpf_bpf_maps_map_info_free(&info);
	OK(bpf_map_update_elem(fd, &zero, first, BPF_ANY));
	OK(bpf_map_lookup_elem(fd, &zero, value));
	CHECK_MEM(value, first, length);
	CHECK_EQ(bpf_map_lookup_elem(fd, &one, value), type == BPF_MAP_TYPE_PERCPU_ARRAY ? 0 : -ENOENT);
	OK(bpf_map_update_batch(fd, &one, second, &count, NULL));
	CHECK_EQ(count, 1);
	CHECK(wasm_bpf_bpf_maps_method_map_lookup_many(raw_map(fd), &both, &found, &error));
	CHECK_EQ(found.values.len, 2 * length);
	CHECK_MEM(found.values.ptr, second, length);
	CHECK_MEM(found.values.ptr + length, first, length);
	wasm_bpf_list_u8_free(&found.values);
	wasm_bpf_list_u8_free(&found.found);
	walk(fd, length, first, second);
}

void case_sizes(void)
{
	static const enum bpf_map_type types[] = { BPF_MAP_TYPE_PERCPU_HASH, BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_LRU_PERCPU_HASH };
	static const size_t sizes[] = { 1, 4, 5, 8, 12 };

	for (size_t i = 0; i < LENGTH(types); i++) {
		for (size_t j = 0; j < LENGTH(sizes); j++)
			try_size(types[i], sizes[j]);
	}
}

// One value for one CPU is not enough, whatever its size. libbpf's functions have no lengths, so these are the interface's.
void case_lengths(void)
{
	static const enum bpf_map_type types[] = { BPF_MAP_TYPE_PERCPU_HASH, BPF_MAP_TYPE_PERCPU_ARRAY };
	const size_t length = possible_cpus() * 8, lengths[] = { 0, 5, length - 8, length - 1, length + 8 };
	static const __u8 zeros[PLACES + 8];
	wasm_bpf_list_u8_t key = bytes(zeros, 4);

	for (size_t i = 0; i < LENGTH(types); i++) {
		wasm_bpf_bpf_maps_borrow_map_t map = raw_map(map_of(types[i], 5));
		wasm_bpf_bpf_maps_error_code_t error;
		wasm_bpf_bpf_maps_updated_t updated;

		for (size_t j = 0; j < LENGTH(lengths); j++) {
			wasm_bpf_list_u8_t wrong = bytes(zeros, lengths[j]);

			FAILS_CODE(wasm_bpf_bpf_maps_method_map_update(map, &key, &wrong, WASM_BPF_BPF_MAPS_UPDATE_MODE_ANY, &error), error,
				   "wrong-size");
			FAILS_CODE(wasm_bpf_bpf_maps_method_map_update_many(map, &key, &wrong, WASM_BPF_BPF_MAPS_UPDATE_MODE_ANY, &updated, &error),
				   error, "wrong-size");
		}
	}
}

static bool is_used(const int *used, int count, int cpu)
{
	for (int i = 0; i < count; i++) {
		if (used[i] == cpu)
			return true;
	}
	return false;
}

// A hundred calls on each CPU that the runner may use.
void case_counts(void)
{
	const size_t count = possible_cpus();
	static struct {
		__u8 value;
		__u8 padding[7];
	} of_1[CPUS];
	static struct {
		__u32 value;
		__u32 padding;
	} of_4[CPUS];
	static __u64 of_8[CPUS];
	static struct {
		__u32 a, b, c;
		__u32 padding;
	} of_12[CPUS];
	struct case_bpf *skel = SOME(case_bpf__open());
	__u32 key = 1;
	int used[CPUS], cpu_count = cpus(used, CPUS);

	CHECK(cpu_count > 0 && cpu_count <= CPUS);
	skel->rodata->trigger_thread = trigger_thread();
	skel->rodata->trigger_syscall = trigger_syscall();
	OK(case_bpf__load(skel));
	OK(case_bpf__attach(skel));
	for (int i = 0; i < cpu_count; i++)
		pull_on(used[i], 100);
	OK(bpf_map__lookup_elem(skel->maps.of_1, &key, sizeof(key), of_1, count * sizeof(of_1[0]), 0));
	OK(bpf_map__lookup_elem(skel->maps.of_4, &key, sizeof(key), of_4, count * sizeof(of_4[0]), 0));
	OK(bpf_map__lookup_elem(skel->maps.of_8, &key, sizeof(key), of_8, count * sizeof(of_8[0]), 0));
	OK(bpf_map__lookup_elem(skel->maps.of_12, &key, sizeof(key), of_12, count * sizeof(of_12[0]), 0));
	for (size_t cpu = 0; cpu < count; cpu++) {
		__u32 calls = is_used(used, cpu_count, cpu) ? 100 : 0;

		CHECK_EQ(of_1[cpu].value, calls);
		CHECK_EQ(of_4[cpu].value, 2 * calls);
		CHECK_EQ(of_8[cpu], 3 * calls);
		CHECK_EQ(of_12[cpu].a, calls);
		CHECK_EQ(of_12[cpu].b, 10 * calls);
		CHECK_EQ(of_12[cpu].c, 100 * calls);
	}
	case_bpf__destroy(skel);
}
