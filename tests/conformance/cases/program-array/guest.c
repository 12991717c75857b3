// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs in maps.
#include "conformance.h"

#include <unistd.h>

#include "case.skel.h"

// The object with programs switched on, whose names stand with spaces around them.
static struct case_bpf *opened(const char *names)
{
	struct case_bpf *skel = SOME(case_bpf__open());
	struct bpf_program *program;
	char name[64];

	skel->rodata->trigger_thread = trigger_thread();
	skel->rodata->trigger_syscall = trigger_syscall();
	bpf_object__for_each_program(program, skel->obj) {
		snprintf(name, sizeof(name), " %s ", bpf_program__name(program));
		OK(bpf_program__set_autoload(program, strstr(names, name)));
	}
	return skel;
}

static struct case_bpf *load(const char *names)
{
	struct case_bpf *skel = opened(names);

	OK(case_bpf__load(skel));
	OK(case_bpf__attach(skel));
	return skel;
}

// How often a tail call came to its target, and how often not.
static void check_counts(const struct case_bpf *skel, __u64 jumped, __u64 fell_through)
{
	__typeof__(*skel->bss) values;
	__u32 key = 0;

	OK(bpf_map__lookup_elem(skel->maps.bss, &key, sizeof(key), &values, sizeof(values), 0));
	CHECK_EQ(values.jumped, jumped);
	CHECK_EQ(values.fell_through, fell_through);
}

static int store(int map, __u32 key, const struct bpf_program *program, __u64 flags)
{
	int fd = bpf_program__fd(program);

	return bpf_map_update_elem(map, &key, &fd, flags);
}

static int delete(int map, __u32 key)
{
	return bpf_map_delete_elem(map, &key);
}

// What is stored is told by its id; 0 if there is none.
static __u32 stored_id(int map, __u32 key)
{
	__u32 id = 0;

	if (bpf_map_lookup_elem(map, &key, &id)) {
		CHECK_EQ(errno, ENOENT);
		return 0;
	}
	CHECK(id);
	return id;
}

// The tail call goes where the array says at each moment.
void case_stored(void)
{
	struct case_bpf *skel = load(" jump target ");
	int targets = bpf_map__fd(skel->maps.targets);

	holds(skel->obj);
	pull(1);
	check_counts(skel, 0, 1);
	CHECK_EQ(stored_id(targets, 1), 0);
	OK(store(targets, 1, skel->progs.target, BPF_ANY));
	CHECK_EQ(stored_id(targets, 1), program_id(bpf_program__fd(skel->progs.target)));
	pull(2);
	check_counts(skel, 2, 1);
	OK(delete(targets, 1));
	pull(1);
	check_counts(skel, 2, 2);
	case_bpf__destroy(skel);
}

// The kernel puts programs into arrays in one way only, whether there is one already or not.
void case_modes(void)
{
	struct case_bpf *skel = load(" target ");
	int targets = bpf_map__fd(skel->maps.targets);

	FAILS(store(targets, 1, skel->progs.target, BPF_NOEXIST), "invalid-argument");
	FAILS(store(targets, 1, skel->progs.target, BPF_EXIST), "invalid-argument");
	CHECK_EQ(stored_id(targets, 1), 0);
	OK(store(targets, 1, skel->progs.target, BPF_ANY));
	FAILS(store(targets, 1, skel->progs.target, BPF_EXIST), "invalid-argument");
	CHECK(stored_id(targets, 1));
	case_bpf__destroy(skel);
}

static bool store_raw(int map, wasm_bpf_list_u8_t key, const struct bpf_program *program, wasm_bpf_bpf_programs_error_code_t *error)
{
	return wasm_bpf_bpf_programs_method_program_store_in(raw_program(bpf_program__fd(program)), raw_map(map), &key,
							     WASM_BPF_BPF_MAPS_UPDATE_MODE_ANY, error);
}

// Each is refused by its own error, and stores nothing.
void case_wrong(void)
{
	static const __u8 zeros[4];
	static const __u32 one = 1;
	struct case_bpf *skel = load(" jump target of_another_kind ");
	int targets = bpf_map__fd(skel->maps.targets), other = OK(bpf_map_create(BPF_MAP_TYPE_HASH, "other", 4, 4, 4, NULL));
	wasm_bpf_list_u8_t key = bytes(&one, sizeof(one));
	wasm_bpf_bpf_programs_error_code_t error;

	// An index past the end.
	FAILS(store(targets, 4, skel->progs.target, BPF_ANY), "full");
	FAILS_CODE(store_raw(targets, bytes(zeros, 2), skel->progs.target, &error), error, "wrong-size");
	// The program that uses the array has decided which kind it holds.
	FAILS(store(targets, 1, skel->progs.of_another_kind, BPF_ANY), "invalid-argument");
	FAILS_CODE(store_raw(other, key, skel->progs.target, &error), error, "not-supported");
	// No number becomes a program: it would be a descriptor of the host.
	for (__u32 number = 0; number < 16; number++) {
		wasm_bpf_list_u8_t value = bytes(&number, sizeof(number));

		FAILS_CODE(wasm_bpf_bpf_maps_method_map_update(raw_map(targets), &key, &value, WASM_BPF_BPF_MAPS_UPDATE_MODE_ANY, &error), error,
			   "not-supported");
		CHECK(bpf_map_update_elem(targets, &one, &number, BPF_ANY) < 0);
	}
	CHECK_EQ(stored_id(targets, 1), 0);
	case_bpf__destroy(skel);
}

// The program is still there when its object is gone, and counts until it is taken out.
void case_limit_programs(void)
{
	struct case_bpf *skel = load(" jump "), *other = load(" target "), *third;
	int targets = bpf_map__fd(skel->maps.targets);

	OK(store(targets, 1, other->progs.target, BPF_ANY));
	case_bpf__destroy(other);
	pull(1);
	check_counts(skel, 0, 0);
	third = load(" target ");
	other = opened(" target ");
	FAILS(case_bpf__load(other), "limit-exceeded", "programs");
	case_bpf__destroy(other);
	case_bpf__destroy(third);
	OK(delete(targets, 1));
	load(" target ");
	load(" target ");
}

// The objects are gone at once, but not the maps of what was stored.
static int store_new(int targets, __u32 key)
{
	struct case_bpf *other = opened(" target ");
	int err = case_bpf__load(other);

	if (!err)
		err = store(targets, key, other->progs.target, BPF_ANY);
	case_bpf__destroy(other);
	return err;
}

void case_limit_map_memory(void)
{
	struct case_bpf *skel = load(" jump ");
	int targets = bpf_map__fd(skel->maps.targets);

	OK(store_new(targets, 0));
	OK(store_new(targets, 1));
	FAILS(store_new(targets, 2), "limit-exceeded", "map-memory");
	OK(delete(targets, 0));
	OK(store_new(targets, 2));
	FAILS(store_new(targets, 3), "limit-exceeded", "map-memory");
	case_bpf__destroy(skel);
}

void case_found(void)
{
	LIBBPF_OPTS(bpf_get_fd_by_id_opts, opts, .open_flags = BPF_F_RDONLY);
	struct case_bpf *skel = load(" jump target ");
	int targets = bpf_map__fd(skel->maps.targets), found = OK(bpf_map_get_fd_by_id_opts(map_id(targets), &opts));

	CHECK_EQ(stored_id(found, 1), 0);
	OK(store(targets, 1, skel->progs.target, BPF_ANY));
	CHECK_EQ(stored_id(found, 1), program_id(bpf_program__fd(skel->progs.target)));
	FAILS(store(found, 1, skel->progs.target, BPF_ANY), "not-permitted");
	FAILS(delete(found, 1), "not-permitted");
	pull(1);
	check_counts(skel, 1, 0);
	OK(close(found));
	case_bpf__destroy(skel);
}

// What is stored by way of it the first handle and the programs see.
void case_found_to_change(void)
{
	struct case_bpf *skel = load(" jump target ");
	int targets = bpf_map__fd(skel->maps.targets), found = OK(bpf_map_get_fd_by_id(map_id(targets)));

	OK(store(found, 1, skel->progs.target, BPF_ANY));
	pull(1);
	check_counts(skel, 1, 0);
	OK(delete(found, 1));
	CHECK_EQ(stored_id(targets, 1), 0);
	pull(1);
	check_counts(skel, 1, 1);
	OK(close(found));
	case_bpf__destroy(skel);
}
