// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the kernel answers that functions seldom meet.
#include "conformance.h"

#include "case.skel.h"

// The object with one of its programs.
static struct bpf_program *load(struct case_bpf *skel, const char *name)
{
	struct bpf_program *program = SOME(bpf_object__find_program_by_name(skel->obj, name));

	OK(bpf_program__set_autoload(program, true));
	OK(case_bpf__load(skel));
	return program;
}

// What was there before stays readable.
void case_not_permitted(void)
{
	const __u32 key = 0;
	const __u64 before = 0x0101010101010101, after = 0x0202020202020202;
	wasm_bpf_list_u8_t keys = bytes(&key, sizeof(key)), values = bytes(&after, sizeof(after));
	int fd = OK(bpf_map_create(BPF_MAP_TYPE_ARRAY, "frozen", 4, 8, 1, NULL));
	wasm_bpf_bpf_maps_error_code_t error;
	__u64 value;

	OK(bpf_map_update_elem(fd, &key, &before, BPF_ANY));
	OK(bpf_map_freeze(fd));
	FAILS(bpf_map_update_elem(fd, &key, &after, BPF_ANY), "not-permitted");
	FAILS_CODE(wasm_bpf_bpf_maps_method_map_update(raw_map(fd), &keys, &values, WASM_BPF_BPF_MAPS_UPDATE_MODE_ANY, &error), error,
		   "not-permitted");
	OK(bpf_map_lookup_elem(fd, &key, &value));
	CHECK_EQ(value, before);
}

// The verifier does not know the tracepoint; who attaches finds out.
void case_access_denied(void)
{
	struct case_bpf *skel = SOME(case_bpf__open());
	struct bpf_program *program = load(skel, "reads_far");

	FAILS_NULL(bpf_program__attach_tracepoint(program, "raw_syscalls", "sys_enter"), "access-denied", "reads_far");
	CHECK_EQ(wasm_bpf_last_error()->error_number, EACCES);
	case_bpf__destroy(skel);
}

// The kernel says ENOSPC of tries, and E2BIG (`full`) of other maps.
void case_no_space(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
	int fd = OK(bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, "trie", 8, 4, 2, &options));
	const struct {
		__u32 length;
		__u8 address[4];
	} keys[] = { { 32, { 0, 0, 0, 1 } }, { 32, { 0, 0, 0, 2 } }, { 32, { 0, 0, 0, 3 } } };
	const __u32 value = 0;

	OK(bpf_map_update_elem(fd, &keys[0], &value, BPF_ANY));
	OK(bpf_map_update_elem(fd, &keys[1], &value, BPF_ANY));
	FAILS(bpf_map_update_elem(fd, &keys[2], &value, BPF_ANY), "no-space");
}

// A PiB, outside of an object and in one.
void case_out_of_memory(void)
{
	const __u32 value_size = 1 << 20, entries = 1 << 30;
	struct case_bpf *skel;

	FAILS(bpf_map_create(BPF_MAP_TYPE_ARRAY, "huge", 4, value_size, entries, NULL), "out-of-memory", "huge");
	CHECK_EQ(wasm_bpf_last_error()->error_number, ENOMEM);
	skel = SOME(case_bpf__open());
	OK(bpf_map__set_value_size(skel->maps.entries, value_size));
	OK(bpf_map__set_max_entries(skel->maps.entries, entries));
	FAILS(case_bpf__load(skel), "out-of-memory", "entries");
	CHECK_EQ(wasm_bpf_last_error()->error_number, ENOMEM);
	case_bpf__destroy(skel);
}

// There is no map to go over.
void case_other(void)
{
	struct case_bpf *skel = SOME(case_bpf__open());
	struct bpf_program *program = load(skel, "without_map");

	FAILS_NULL(bpf_program__attach(program), "other", "without_map");
	CHECK_EQ(wasm_bpf_last_error()->error_number, EBADF);
	case_bpf__destroy(skel);
}
