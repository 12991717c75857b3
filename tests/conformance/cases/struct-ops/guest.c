// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operations of the kernel that a component may implement with a grant.
#include "conformance.h"

#include "case.skel.h"

// The programs and their map are in the kernel; nothing uses them.
void case_allowed(void)
{
	struct case_bpf *skel = SOME(case_bpf__open_and_load());
	struct bpf_program *program;
	int count = 0;

	CHECK_EQ(bpf_map__type(skel->maps.wbc_congestion), BPF_MAP_TYPE_STRUCT_OPS);
	bpf_object__for_each_program(program, skel->obj)
		count++;
	CHECK_EQ(count, 3);
	holds(skel->obj);
	case_bpf__destroy(skel);
}

// A host may refuse when it opens the object or when it loads it.
void case_denied(void)
{
	FAILS_NULL(case_bpf__open_and_load(), "not-granted", "struct-ops");
}

// Operations are more than observing.
void case_nothing_granted(void)
{
	FAILS_NULL(case_bpf__open_and_load(), "not-granted", "struct-ops");
}

// The value of its map has addresses of programs.
void case_map(void)
{
	struct case_bpf *skel = SOME(case_bpf__open_and_load());
	int fd = bpf_map__fd(skel->maps.wbc_congestion);
	wasm_bpf_bpf_maps_borrow_map_t map = raw_map(fd);
	wasm_bpf_list_u8_t keys, values;
	wasm_bpf_option_list_u8_t found;
	wasm_bpf_bpf_maps_error_code_t error;
	wasm_bpf_bpf_maps_own_walk_t walk;
	wasm_bpf_bpf_maps_map_info_t info;
	__u32 key = 0;
	void *value;
	bool done;

	wasm_bpf_bpf_maps_method_map_info(map, &info);
	CHECK_EQ(info.key_size, 4);
	CHECK_EQ(info.max_entries, 1);
	value = SOME(calloc(1, info.value_length));
	keys = bytes(&key, sizeof(key));
	values = bytes(value, info.value_length);
	FAILS(bpf_map_lookup_elem(fd, &key, value), "not-supported");
	FAILS_CODE(wasm_bpf_bpf_maps_method_map_lookup(map, &keys, &found, &error), error, "not-supported");
	FAILS(bpf_map_update_elem(fd, &key, value, BPF_ANY), "not-supported");
	FAILS_CODE(wasm_bpf_bpf_maps_method_map_update(map, &keys, &values, WASM_BPF_BPF_MAPS_UPDATE_MODE_ANY, &error), error, "not-supported");
	FAILS(bpf_map_delete_elem(fd, &key), "not-supported");
	FAILS_CODE(wasm_bpf_bpf_maps_method_map_delete(map, &keys, &done, &error), error, "not-supported");
	FAILS(bpf_map_lookup_and_delete_elem(fd, &key, value), "not-supported");
	FAILS(bpf_map_get_next_key(fd, NULL, &key), "not-supported");
	FAILS_CODE(wasm_bpf_bpf_maps_method_map_keys(map, NULL, 1, &keys, &error), error, "not-supported");
	FAILS_CODE(wasm_bpf_bpf_maps_static_walk_start(map, false, &walk, &error), error, "not-supported");
	FAILS(bpf_map_freeze(fd), "not-supported");
	free(value);
	wasm_bpf_bpf_maps_map_info_free(&info);
	case_bpf__destroy(skel);
}
