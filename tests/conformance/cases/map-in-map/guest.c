// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Maps in maps.
#include "conformance.h"

#include <unistd.h>

#include "case.skel.h"

static struct case_bpf *load(void)
{
	struct case_bpf *skel = SOME(case_bpf__open());

	skel->rodata->trigger_thread = trigger_thread();
	skel->rodata->trigger_syscall = trigger_syscall();
	OK(case_bpf__load(skel));
	OK(case_bpf__attach(skel));
	return skel;
}

static int put(int map, __u32 key, __u64 value)
{
	return bpf_map_update_elem(map, &key, &value, BPF_ANY);
}

static int new_array(__u32 entries, __u32 flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags);

	return bpf_map_create(BPF_MAP_TYPE_ARRAY, "inner", 4, 8, entries, &opts);
}

// Like the inner maps that the object declares.
static int inner(__u64 value)
{
	int map = OK(new_array(4, 0));

	OK(put(map, 0, value));
	return map;
}

static int of_maps(enum bpf_map_type type, __u32 entries, int template)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .inner_map_fd = template);

	return bpf_map_create(type, "outer", 4, 4, entries, &opts);
}

static int store(int outer, __u32 key, int map, __u64 flags)
{
	return bpf_map_update_elem(outer, &key, &map, flags);
}

// What a map of maps tells of the map under a key: its id. 0 if there is none.
static __u32 stored_id(int outer, __u32 key)
{
	__u32 id = 0;

	if (bpf_map_lookup_elem(outer, &key, &id)) {
		CHECK_EQ(errno, ENOENT);
		return 0;
	}
	CHECK(id);
	return id;
}

// Has the program look, and reads what it saw.
static void check_seen(const struct case_bpf *skel, bool by_index, __u64 expected)
{
	__typeof__(*skel->bss) values;
	__u32 key = 0;

	pull(1);
	OK(bpf_map__lookup_elem(skel->maps.bss, &key, sizeof(key), &values, sizeof(values), 0));
	CHECK_EQ(by_index ? values.seen_by_index : values.seen_by_key, expected);
}

// What the object declares to be stored is found by the program.
void case_declared(void)
{
	struct case_bpf *skel = load();
	int by_index = bpf_map__fd(skel->maps.by_index), declared = bpf_map__fd(skel->maps.declared);

	CHECK_EQ(stored_id(by_index, 2), map_id(declared));
	CHECK_EQ(stored_id(by_index, 1), 0);
	OK(put(declared, 0, 5));
	check_seen(skel, true, 5);
	check_seen(skel, false, 0);
	case_bpf__destroy(skel);
}

// The program sees what is stored at each moment.
void case_stored(void)
{
	struct case_bpf *skel = load();
	const int outers[] = { bpf_map__fd(skel->maps.by_key), bpf_map__fd(skel->maps.by_index) };
	int first = inner(10), second = inner(20);
	const __u32 key = 2;

	holds(skel->obj);
	OK(bpf_map_delete_elem(outers[true], &key));
	check_seen(skel, true, 0);
	for (int by_index = 0; by_index < 2; by_index++) {
		int outer = outers[by_index], third = inner(30);

		OK(store(outer, key, first, BPF_ANY));
		CHECK_EQ(stored_id(outer, key), map_id(first));
		check_seen(skel, by_index, 10);
		// The map itself is in there, not its contents at that moment.
		OK(put(first, 0, 11));
		check_seen(skel, by_index, 11);
		OK(put(first, 0, 10));
		OK(store(outer, key, second, BPF_ANY));
		check_seen(skel, by_index, 20);
		// Its own handle may go: the outer map keeps it.
		OK(store(outer, key, third, BPF_ANY));
		OK(close(third));
		check_seen(skel, by_index, 30);
		OK(bpf_map_delete_elem(outer, &key));
		check_seen(skel, by_index, 0);
	}
	case_bpf__destroy(skel);
}

// How many entries a walk finds, which all are this map; a walk that drains takes them out.
static __u32 walked(int outer, bool drain, __u32 id)
{
	wasm_bpf_bpf_maps_own_walk_t own;
	wasm_bpf_bpf_maps_borrow_walk_t walk;
	wasm_bpf_bpf_maps_error_code_t error;
	wasm_bpf_bpf_maps_batch_t entries;
	__u32 count = 0;

	CHECK(wasm_bpf_bpf_maps_static_walk_start(raw_map(outer), drain, &own, &error));
	walk = wasm_bpf_bpf_maps_borrow_walk(own);
	for (;;) {
		CHECK(wasm_bpf_bpf_maps_method_walk_next(walk, 3, &entries, &error));
		if (!entries.count)
			break;
		CHECK_EQ(entries.values.len, entries.count * sizeof(id));
		for (__u32 i = 0; i < entries.count; i++)
			CHECK_MEM(entries.values.ptr + i * sizeof(id), &id, sizeof(id));
		count += entries.count;
		wasm_bpf_list_u8_free(&entries.keys);
		wasm_bpf_list_u8_free(&entries.values);
	}
	wasm_bpf_bpf_maps_walk_drop_own(own);
	return count;
}

// Outside of objects: as many maps as there is room for, walked and emptied.
void case_created(void)
{
	int map = inner(1), outer = OK(of_maps(BPF_MAP_TYPE_HASH_OF_MAPS, 8, map));
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);

	OK(bpf_map_get_info_by_fd(outer, &info, &size));
	CHECK_EQ(info.type, BPF_MAP_TYPE_HASH_OF_MAPS);
	CHECK_EQ(info.key_size, 4);
	CHECK_EQ(info.value_size, 4);
	CHECK_EQ(info.max_entries, 8);
	FAILS(store(outer, 0, map, BPF_EXIST), "not-found");
	for (__u32 key = 0; key < 8; key++)
		OK(store(outer, key, map, BPF_NOEXIST));
	FAILS(store(outer, 9, map, BPF_ANY), "full");
	FAILS(store(outer, 0, map, BPF_NOEXIST), "already-exists");
	OK(store(outer, 0, map, BPF_EXIST));
	CHECK_EQ(walked(outer, false, map_id(map)), 8);
	CHECK_EQ(walked(outer, true, map_id(map)), 8);
	CHECK_EQ(walked(outer, false, map_id(map)), 0);
}

// Without the flag the numbers of entries must be the same, with it they need not.
void case_sizes_may_differ(void)
{
	int free_sizes = OK(of_maps(BPF_MAP_TYPE_ARRAY_OF_MAPS, 2, OK(new_array(4, BPF_F_INNER_MAP))));
	int fixed = OK(of_maps(BPF_MAP_TYPE_ARRAY_OF_MAPS, 2, OK(new_array(4, 0))));

	OK(store(free_sizes, 0, OK(new_array(100, BPF_F_INNER_MAP)), BPF_ANY));
	OK(store(fixed, 0, OK(new_array(4, 0)), BPF_ANY));
	FAILS(store(fixed, 0, OK(new_array(100, 0)), BPF_ANY), "invalid-argument");
}

static bool store_raw(int outer, wasm_bpf_list_u8_t key, int map, wasm_bpf_bpf_maps_error_code_t *error)
{
	return wasm_bpf_bpf_maps_method_map_update_map(raw_map(outer), &key, raw_map(map), WASM_BPF_BPF_MAPS_UPDATE_MODE_ANY, error);
}

// Each is refused by its own error, and stores nothing.
void case_wrong(void)
{
	static const __u8 zeros[4];
	struct case_bpf *skel = load();
	int by_index = bpf_map__fd(skel->maps.by_index), by_key = bpf_map__fd(skel->maps.by_key);
	int good = inner(1), other = OK(bpf_map_create(BPF_MAP_TYPE_HASH, "other", 4, 8, 4, NULL));
	wasm_bpf_bpf_maps_map_type_t type = { .tag = WASM_BPF_BPF_TYPES_MAP_TYPE_HASH_OF_MAPS };
	wasm_bpf_bpf_maps_own_create_options_t options;
	wasm_bpf_string_t name = text("outer");
	wasm_bpf_list_u8_t key = bytes(zeros, 4);
	wasm_bpf_bpf_maps_error_code_t error;
	wasm_bpf_bpf_maps_own_map_t made;
	wasm_bpf_bpf_maps_error_t why;

	FAILS(store(by_index, 0, other, BPF_ANY), "invalid-argument");
	FAILS_CODE(store_raw(by_index, bytes(zeros, 3), good, &error), error, "wrong-size");
	// An index past the end.
	FAILS(store(by_index, 4, good, BPF_ANY), "full");
	FAILS_CODE(store_raw(other, key, good, &error), error, "not-supported");
	// No number becomes a map: it would be a descriptor of the host.
	for (__u32 number = 0; number < 16; number++) {
		wasm_bpf_list_u8_t value = bytes(&number, sizeof(number));

		FAILS_CODE(wasm_bpf_bpf_maps_method_map_update(raw_map(by_key), &key, &value, WASM_BPF_BPF_MAPS_UPDATE_MODE_ANY, &error), error,
			   "not-supported");
		CHECK(store(by_key, 0, number, BPF_ANY) < 0);
	}
	CHECK_EQ(stored_id(by_index, 0), 0);
	CHECK_EQ(stored_id(by_key, 0), 0);
	FAILS(of_maps(BPF_MAP_TYPE_HASH, 4, good), "invalid-argument", "outer");
	// No maps of maps of maps.
	FAILS(of_maps(BPF_MAP_TYPE_HASH_OF_MAPS, 4, by_key), "invalid-argument", "outer");
	// Without a template: the library says so, and the host.
	FAILS(bpf_map_create(BPF_MAP_TYPE_HASH_OF_MAPS, "outer", 4, 4, 4, NULL), "invalid-argument", "outer");
	options = wasm_bpf_bpf_maps_constructor_create_options();
	FAILS_ERROR(wasm_bpf_bpf_maps_static_map_create(&name, &type, 4, 4, 4, wasm_bpf_bpf_maps_borrow_create_options(options), &made, &why), why,
		    "not-supported", "outer");
	wasm_bpf_bpf_maps_create_options_drop_own(options);
	case_bpf__destroy(skel);
}

// Makes a map that only the outer one keeps.
static int store_new(int outer, __u32 key)
{
	int map = new_array(4, 0), err;

	if (map < 0)
		return map;
	err = store(outer, key, map, BPF_ANY);
	OK(close(map));
	return err;
}

// The outer map and two stored ones leave room for one: what is stored counts like what has a handle.
void case_limit(void)
{
	int template = inner(0), outer = OK(of_maps(BPF_MAP_TYPE_ARRAY_OF_MAPS, 8, template));
	const __u32 first = 0;

	OK(store_new(outer, 0));
	OK(store_new(outer, 1));
	FAILS(store_new(outer, 2), "limit-exceeded", "maps");
	// In place of another there is room, once the other is gone.
	OK(bpf_map_delete_elem(outer, &first));
	OK(store_new(outer, 0));
	FAILS(store_new(outer, 0), "limit-exceeded", "maps");
	OK(close(outer));
	for (int i = 0; i < 3; i++)
		inner(0);
	FAILS(new_array(4, 0), "limit-exceeded", "maps");
}
