// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Bloom filters.
#include "conformance.h"

#include "case.skel.h"

static int filter(void)
{
	return OK(bpf_map_create(BPF_MAP_TYPE_BLOOM_FILTER, "tested", 0, 8, 1000, NULL));
}

// How many of the values from `first` to before `end` are in it.
static int contained(int fd, __u64 first, __u64 end)
{
	int count = 0;

	for (__u64 value = first; value < end; value++) {
		if (!bpf_map_lookup_elem(fd, NULL, &value))
			count++;
		else
			CHECK_EQ(errno, ENOENT);
	}
	return count;
}

// False is certain, true is not.
void case_values(void)
{
	int fd = filter();

	// It is empty.
	CHECK_EQ(contained(fd, 0, 500), 0);
	for (__u64 value = 0; value < 500; value++)
		OK(bpf_map_update_elem(fd, NULL, &value, BPF_ANY));
	CHECK_EQ(contained(fd, 0, 500), 500);
	CHECK(contained(fd, 10000, 11000) < 100);
}

// The kernel reads the buffer of a lookup: it must not be taken for an answer. libbpf's functions have no lengths, so the first are the
// interface's.
void case_refused(void)
{
	static const size_t lengths[] = { 0, 7, 9, 4096 };
	static const __u8 zeros[4096];
	int fd = filter();
	wasm_bpf_bpf_maps_borrow_map_t map = raw_map(fd);
	wasm_bpf_bpf_maps_error_code_t error;
	wasm_bpf_option_list_u8_t answer;
	wasm_bpf_list_u8_t value;
	__u64 zero = 0;
	bool contains;

	for (size_t i = 0; i < LENGTH(lengths); i++) {
		value = bytes(zeros, lengths[i]);
		FAILS_CODE(wasm_bpf_bpf_maps_method_map_push(map, &value, false, &error), error, "wrong-size");
		FAILS_CODE(wasm_bpf_bpf_maps_method_map_contains(map, &value, &contains, &error), error, "wrong-size");
	}
	FAILS(bpf_map_update_elem(fd, NULL, &zero, BPF_EXIST), "invalid-argument");
	FAILS_CODE(wasm_bpf_bpf_maps_method_map_peek(map, &answer, &error), error, "not-supported");
	FAILS(bpf_map_lookup_and_delete_elem(fd, NULL, &zero), "not-supported");
	FAILS_CODE(wasm_bpf_bpf_maps_method_map_pop(map, &answer, &error), error, "not-supported");
	map = raw_map(OK(bpf_map_create(BPF_MAP_TYPE_HASH, "tested", 4, 8, 4, NULL)));
	value = bytes(zeros, 8);
	FAILS_CODE(wasm_bpf_bpf_maps_method_map_contains(map, &value, &contains, &error), error, "not-supported");
}

// Ten calls.
void case_from_programs(void)
{
	struct case_bpf *skel = SOME(case_bpf__open());
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);
	int fd;

	skel->rodata->trigger_thread = trigger_thread();
	skel->rodata->trigger_syscall = trigger_syscall();
	OK(case_bpf__load(skel));
	OK(case_bpf__attach(skel));
	fd = bpf_map__fd(skel->maps.seen);
	CHECK_EQ(contained(fd, 1, 11), 0);
	pull(10);
	CHECK_EQ(contained(fd, 1, 11), 10);
	OK(bpf_map_get_info_by_fd(fd, &info, &size));
	CHECK_EQ(info.map_extra, 3);
	case_bpf__destroy(skel);
}
