// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Queues and stacks.
#include "conformance.h"

#include "case.skel.h"

static int map_of(enum bpf_map_type type, __u32 key_size)
{
	return OK(bpf_map_create(type, "tested", key_size, 4, 3, NULL));
}

static void filled(__u8 value[4], __u8 with)
{
	memset(value, with, 4);
}

// Three values, and a fourth that one has to go for.
void case_order(void)
{
	static const enum bpf_map_type types[] = { BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_STACK };
	static const __u8 orders[2][3] = { { 2, 3, 4 }, { 4, 3, 2 } };

	for (int i = 0; i < 2; i++) {
		int fd = map_of(types[i], 0);
		__u8 value[4], expected[4];

		FAILS(bpf_map_lookup_elem(fd, NULL, value), "not-found");
		FAILS(bpf_map_lookup_and_delete_elem(fd, NULL, value), "not-found");
		for (__u8 number = 1; number <= 3; number++) {
			filled(value, number);
			OK(bpf_map_update_elem(fd, NULL, value, BPF_ANY));
		}
		filled(value, 4);
		FAILS(bpf_map_update_elem(fd, NULL, value, BPF_ANY), "full");
		filled(expected, i ? 3 : 1);
		OK(bpf_map_lookup_elem(fd, NULL, value));
		CHECK_MEM(value, expected, 4);
		filled(value, 4);
		OK(bpf_map_update_elem(fd, NULL, value, BPF_EXIST));
		for (int turn = 0; turn < 3; turn++) {
			filled(expected, orders[i][turn]);
			OK(bpf_map_lookup_elem(fd, NULL, value));
			CHECK_MEM(value, expected, 4);
			OK(bpf_map_lookup_and_delete_elem(fd, NULL, value));
			CHECK_MEM(value, expected, 4);
		}
		FAILS(bpf_map_lookup_elem(fd, NULL, value), "not-found");
		FAILS(bpf_map_lookup_and_delete_elem(fd, NULL, value), "not-found");
	}
}

// The kernel would read past the end of what is too short. libbpf's functions have no lengths, so these are the interface's.
void case_refused(void)
{
	static const enum bpf_map_type types[] = { BPF_MAP_TYPE_QUEUE, BPF_MAP_TYPE_STACK };
	static const size_t lengths[] = { 0, 3, 5, 4096 };
	static const __u8 zeros[4096];

	for (int i = 0; i < 2; i++) {
		wasm_bpf_bpf_maps_borrow_map_t map = raw_map(map_of(types[i], 0));
		wasm_bpf_bpf_maps_error_code_t error;
		wasm_bpf_option_list_u8_t popped;
		wasm_bpf_list_u8_t value;
		bool contains;

		for (size_t j = 0; j < LENGTH(lengths); j++) {
			value = bytes(zeros, lengths[j]);
			FAILS_CODE(wasm_bpf_bpf_maps_method_map_push(map, &value, false, &error), error, "wrong-size");
			FAILS_CODE(wasm_bpf_bpf_maps_method_map_push(map, &value, true, &error), error, "wrong-size");
		}
		value = bytes(zeros, 4);
		FAILS_CODE(wasm_bpf_bpf_maps_method_map_contains(map, &value, &contains, &error), error, "not-supported");
		CHECK(wasm_bpf_bpf_maps_method_map_pop(map, &popped, &error));
		CHECK(!popped.is_some);
	}
}

// Those functions would read keys that are not there.
void case_other_kinds(void)
{
	static const enum bpf_map_type types[] = { BPF_MAP_TYPE_HASH, BPF_MAP_TYPE_ARRAY, BPF_MAP_TYPE_PROG_ARRAY };
	static const __u8 zeros[4];

	for (size_t i = 0; i < LENGTH(types); i++) {
		wasm_bpf_bpf_maps_borrow_map_t map = raw_map(map_of(types[i], 4));
		wasm_bpf_list_u8_t value = bytes(zeros, 4);
		wasm_bpf_bpf_maps_error_code_t error;
		wasm_bpf_option_list_u8_t answer;

		FAILS_CODE(wasm_bpf_bpf_maps_method_map_push(map, &value, false, &error), error, "not-supported");
		FAILS_CODE(wasm_bpf_bpf_maps_method_map_push(map, &value, true, &error), error, "not-supported");
		FAILS_CODE(wasm_bpf_bpf_maps_method_map_pop(map, &answer, &error), error, "not-supported");
		FAILS_CODE(wasm_bpf_bpf_maps_method_map_peek(map, &answer, &error), error, "not-supported");
	}
}

// A program answers each order.
void case_from_programs(void)
{
	struct case_bpf *skel = SOME(case_bpf__open());
	__u32 value;

	skel->rodata->trigger_thread = trigger_thread();
	skel->rodata->trigger_syscall = trigger_syscall();
	OK(case_bpf__load(skel));
	OK(case_bpf__attach(skel));
	for (value = 10; value <= 30; value += 10)
		OK(bpf_map__update_elem(skel->maps.orders, NULL, 0, &value, sizeof(value), BPF_ANY));
	// The last call finds no order.
	pull(4);
	FAILS(bpf_map__lookup_and_delete_elem(skel->maps.orders, NULL, 0, &value, sizeof(value), 0), "not-found");
	for (__u32 answer = 31; answer > 10; answer -= 10) {
		OK(bpf_map__lookup_and_delete_elem(skel->maps.answers, NULL, 0, &value, sizeof(value), 0));
		CHECK_EQ(value, answer);
	}
	FAILS(bpf_map__lookup_and_delete_elem(skel->maps.answers, NULL, 0, &value, sizeof(value), 0), "not-found");
	case_bpf__destroy(skel);
}
