// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// CPUs in maps.
#include "conformance.h"

#include <unistd.h>

#include "case.skel.h"

static int map_of(enum bpf_map_type type, __u32 value_size, __u32 entries)
{
	return OK(bpf_map_create(type, "cpus", 4, value_size, entries, NULL));
}

// One entry more than there are CPUs.
static int of_cpus(__u32 value_size)
{
	return map_of(BPF_MAP_TYPE_CPUMAP, value_size, number("possible-cpus") + 1);
}

static __u32 first_cpu(void)
{
	int cpu;

	CHECK(cpus(&cpu, 1) >= 1);
	return cpu;
}

static int put(int map, __u32 cpu, __u32 queue)
{
	return bpf_map_update_elem(map, &cpu, &queue, BPF_ANY);
}

static int put_with(int map, __u32 cpu, const struct bpf_program *program)
{
	const struct bpf_cpumap_val value = { .qsize = 192, .bpf_prog.fd = bpf_program__fd(program) };

	return bpf_map_update_elem(map, &cpu, &value, BPF_ANY);
}

static int delete(int map, __u32 cpu)
{
	return bpf_map_delete_elem(map, &cpu);
}

// The size of the queue, which a map with values of 4 bytes has; 0 if there is none.
static __u32 queue_of(int map, __u32 cpu)
{
	__u32 queue = 0;

	if (bpf_map_lookup_elem(map, &cpu, &queue)) {
		CHECK_EQ(errno, ENOENT);
		return 0;
	}
	CHECK(queue);
	return queue;
}

// The interface's own: libbpf's functions have no lengths, take 0 for a deletion and know the kind of the map.
static bool put_raw(int map, wasm_bpf_list_u8_t key, __u32 queue, wasm_bpf_bpf_maps_error_t *error)
{
	return wasm_bpf_bpf_maps_method_map_update_cpu(raw_map(map), &key, queue, WASM_BPF_BPF_MAPS_UPDATE_MODE_ANY, error);
}

static struct case_bpf *load(const char *name)
{
	struct case_bpf *skel = SOME(case_bpf__open());

	OK(bpf_program__set_autoload(SOME(bpf_object__find_program_by_name(skel->obj, name)), true));
	OK(case_bpf__load(skel));
	return skel;
}

// The size of its queue is what a lookup gives.
void case_stored(void)
{
	static const __u32 sizes[] = { 192, 1, 16384 };
	static const __u8 zeros[3];
	int map = of_cpus(4);
	__u32 cpu = first_cpu(), beyond = number("possible-cpus");
	wasm_bpf_bpf_maps_error_t error;

	CHECK_EQ(queue_of(map, cpu), 0);
	for (size_t i = 0; i < LENGTH(sizes); i++) {
		OK(put(map, cpu, sizes[i]));
		CHECK_EQ(queue_of(map, cpu), sizes[i]);
	}
	FAILS(put(map, beyond, 1), "no-such-device", "cpus");
	FAILS(put(map, beyond + 1, 1), "full", "cpus");
	FAILS(put(map, UINT32_MAX, 1), "full", "cpus");
	OK(delete(map, cpu));
	CHECK_EQ(queue_of(map, cpu), 0);
	FAILS_ERROR(put_raw(map_of(BPF_MAP_TYPE_CPUMAP, 4, 4), bytes(zeros, 3), 1, &error), error, "wrong-size", "cpus");
}

// Its id is shown.
void case_with_program(void)
{
	struct case_bpf *other = load("on_the_way_in"), *skel = load("on_the_other_cpu");
	int map = of_cpus(8);
	__u32 cpu = first_cpu(), id = program_id(bpf_program__fd(skel->progs.on_the_other_cpu));
	wasm_bpf_list_u8_t key = bytes(&cpu, sizeof(cpu));
	wasm_bpf_bpf_programs_error_t error;
	struct bpf_cpumap_val value;

	FAILS(put_with(map, cpu, other->progs.on_the_way_in), "invalid-argument", "cpus");
	FAILS_ERROR(wasm_bpf_bpf_programs_method_program_store_in_cpu(raw_program(bpf_program__fd(skel->progs.on_the_other_cpu)), raw_map(of_cpus(4)),
								      &key, 192, WASM_BPF_BPF_MAPS_UPDATE_MODE_ANY, &error),
		    error, "wrong-size", "cpus");
	OK(put_with(map, cpu, skel->progs.on_the_other_cpu));
	case_bpf__destroy(skel);
	is_held("program=%u", id);
	OK(bpf_map_lookup_elem(map, &cpu, &value));
	CHECK_EQ(value.qsize, 192);
	CHECK_EQ(value.bpf_prog.id, id);
	OK(delete(map, cpu));
	is_gone("program=%u", id);
	case_bpf__destroy(other);
}

// 0 would delete what is there.
void case_queues(void)
{
	static const __u32 sizes[] = { 0, 16385, 1u << 31, UINT32_MAX };
	int map = of_cpus(4);
	__u32 cpu = first_cpu();
	wasm_bpf_bpf_maps_error_t error;

	OK(put(map, cpu, 192));
	for (size_t i = 0; i < LENGTH(sizes); i++)
		FAILS_ERROR(put_raw(map, bytes(&cpu, sizeof(cpu)), sizes[i], &error), error, "invalid-argument", "cpus");
	CHECK_EQ(queue_of(map, cpu), 192);
}

// One large queue, but not two.
void case_memory(void)
{
	int first = of_cpus(4), second = of_cpus(4);
	__u32 cpu = first_cpu();

	OK(put(first, cpu, 16384));
	FAILS(put(second, cpu, 16384), "limit-exceeded", "map-memory");
	CHECK_EQ(queue_of(second, cpu), 0);
	OK(delete(first, cpu));
	OK(put(second, cpu, 16384));
	OK(close(second));
	OK(put(first, cpu, 16384));
}

// Neither way.
void case_kinds(void)
{
	static const enum bpf_map_type types[] = { BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_DEVMAP };
	static const __u32 cpu = 0, queue = 192;
	wasm_bpf_list_u8_t key = bytes(&cpu, sizeof(cpu)), value = bytes(&queue, sizeof(queue));
	wasm_bpf_bpf_maps_error_code_t code;
	wasm_bpf_bpf_maps_error_t error;

	for (size_t i = 0; i < LENGTH(types); i++)
		FAILS_ERROR(put_raw(map_of(types[i], 4, 4), key, 192, &error), error, "not-supported", "cpus");
	FAILS_CODE(wasm_bpf_bpf_maps_method_map_update(raw_map(of_cpus(4)), &key, &value, WASM_BPF_BPF_MAPS_UPDATE_MODE_ANY, &code), code,
		   "not-supported");
}

// Each time a thread of the kernel, and a queue.
void case_again_and_again(void)
{
	int map = of_cpus(4);
	__u32 cpu = first_cpu();

	for (int i = 0; i < 300; i++) {
		OK(put(map, cpu, 16384));
		OK(delete(map, cpu));
	}
	CHECK_EQ(queue_of(map, cpu), 0);
}
