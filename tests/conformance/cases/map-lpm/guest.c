// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tries of prefixes.
#include "conformance.h"

#include "case.skel.h"

// As the kernel takes a key: how many bits of the address count, and the address, the bytes of it that the trie has.
struct prefix {
	__u32 length;
	__u8 address[16];
};

#define KEY(bits, ...) (&(const struct prefix){ bits, { __VA_ARGS__ } })

static int trie(__u32 address_size, __u32 entries)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);

	return OK(bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, "trie", 4 + address_size, 4, entries, &options));
}

static int put(int fd, const struct prefix *key, __u32 value)
{
	return bpf_map_update_elem(fd, key, &value, BPF_ANY);
}

// The value; 0 if there is none.
static __u32 get(int fd, const struct prefix *key)
{
	__u32 value = 0;

	if (bpf_map_lookup_elem(fd, key, &value))
		CHECK_EQ(errno, ENOENT);
	return value;
}

// What the program finds for 10.1.2.3, which is what is found here.
static __u32 found(const struct case_bpf *skel)
{
	pull(1);
	CHECK_EQ(get(bpf_map__fd(skel->maps.routes), KEY(32, 10, 1, 2, 3)), skel->bss->found);
	return skel->bss->found;
}

// While networks around it come and go.
void case_longest_prefix(void)
{
	struct case_bpf *skel = SOME(case_bpf__open());
	int routes;

	skel->rodata->trigger_thread = trigger_thread();
	skel->rodata->trigger_syscall = trigger_syscall();
	OK(case_bpf__load(skel));
	OK(case_bpf__attach(skel));
	routes = bpf_map__fd(skel->maps.routes);
	CHECK_EQ(found(skel), 0);
	OK(put(routes, KEY(8, 10), 1));
	CHECK_EQ(found(skel), 1);
	OK(put(routes, KEY(24, 10, 1, 2), 2));
	OK(put(routes, KEY(24, 10, 1, 3), 3));
	CHECK_EQ(found(skel), 2);
	OK(put(routes, KEY(32, 10, 1, 2, 3), 4));
	CHECK_EQ(found(skel), 4);
	OK(bpf_map_delete_elem(routes, KEY(32, 10, 1, 2, 3)));
	OK(bpf_map_delete_elem(routes, KEY(24, 10, 1, 2)));
	CHECK_EQ(found(skel), 1);
	// Everything.
	OK(put(routes, KEY(0, 0), 5));
	OK(bpf_map_delete_elem(routes, KEY(8, 10)));
	CHECK_EQ(found(skel), 5);
	case_bpf__destroy(skel);
}

#define NETWORKS 3

struct network {
	__u32 length;
	__u8 address[4];
};

// The walk's entries, each once.
static void walk(int fd, const struct network networks[NETWORKS])
{
	bool seen[NETWORKS] = {};
	wasm_bpf_bpf_maps_error_code_t error;
	wasm_bpf_bpf_maps_own_walk_t own;
	wasm_bpf_bpf_maps_batch_t batch;
	__u32 count = 0;

	CHECK(wasm_bpf_bpf_maps_static_walk_start(raw_map(fd), false, &own, &error));
	do {
		CHECK(wasm_bpf_bpf_maps_method_walk_next(wasm_bpf_bpf_maps_borrow_walk(own), NETWORKS + 1, &batch, &error));
		for (__u32 i = 0; i < batch.count; i++) {
			__u32 value;

			memcpy(&value, batch.values.ptr + i * sizeof(value), sizeof(value));
			CHECK(value >= 1 && value <= NETWORKS && !seen[value - 1]);
			CHECK_MEM(batch.keys.ptr + i * sizeof(networks[0]), &networks[value - 1], sizeof(networks[0]));
			seen[value - 1] = true;
		}
		count += batch.count;
		wasm_bpf_list_u8_free(&batch.keys);
		wasm_bpf_list_u8_free(&batch.values);
	} while (batch.count);
	CHECK_EQ(count, NETWORKS);
	wasm_bpf_bpf_maps_walk_drop_own(own);
}

// Of both families, and of a length that is no multiple of four.
void case_typed(void)
{
	static const struct network networks[NETWORKS] = { { 8, { 10 } }, { 12, { 172 } }, { 16, { 192 } } };
	struct network keys[2 * NETWORKS], *key;
	__u32 count = LENGTH(keys), position[2], values[LENGTH(keys)];
	int four = trie(4, 8), six = trie(16, 8), odd = trie(5, 8);
	const struct network *last = NULL;
	bool seen[NETWORKS] = {};
	int times = 0;

	for (__u32 i = 0; i < NETWORKS; i++) {
		__u32 value = i + 1;

		OK(bpf_map_update_elem(four, &networks[i], &value, BPF_NOEXIST));
	}
	CHECK_EQ(get(four, KEY(32, 192, 0, 2, 1)), 3);
	CHECK_EQ(get(four, KEY(32, 11, 0, 0, 1)), 0);
	walk(four, networks);
	for (key = keys; !bpf_map_get_next_key(four, last, key); last = key++)
		CHECK(key < keys + NETWORKS);
	CHECK_EQ(errno, ENOENT);
	CHECK_EQ(key - keys, NETWORKS);
	for (int i = 0; i < NETWORKS; i++)
		times += !memcmp(&keys[i], &networks[0], sizeof(networks[0]));
	CHECK_EQ(times, 1);
	// And with their values at once, by the keys.
	CHECK_EQ(bpf_map_lookup_batch(four, NULL, position, keys, values, &count, NULL), -ENOENT);
	CHECK_EQ(count, NETWORKS);
	for (int i = 0; i < NETWORKS; i++) {
		CHECK(values[i] >= 1 && values[i] <= NETWORKS && !seen[values[i] - 1]);
		CHECK_MEM(&keys[i], &networks[values[i] - 1], sizeof(keys[i]));
		seen[values[i] - 1] = true;
	}
	OK(put(six, KEY(8, 0xfd), 6));
	CHECK_EQ(get(six, KEY(128, 0xfd, 0x12, [15] = 1)), 6);
	CHECK_EQ(get(six, KEY(128, [15] = 1)), 0);
	OK(put(odd, KEY(12, 1, 2), 7));
	CHECK_EQ(get(odd, KEY(40, 1, 5, 9, 9, 9)), 7);
	CHECK_EQ(get(odd, KEY(40, 1, 16)), 0);
}

// Each has its own error.
void case_wrong_prefixes(void)
{
	static const __u32 lengths[] = { 33, 1 << 16, UINT32_MAX };
	int fd = trie(4, 2);

	for (size_t i = 0; i < LENGTH(lengths); i++) {
		FAILS(put(fd, KEY(lengths[i], 10), 1), "invalid-argument");
		FAILS(bpf_map_delete_elem(fd, KEY(lengths[i], 10)), "invalid-argument");
	}
	OK(put(fd, KEY(8, 10), 1));
	// Of the same address, but another prefix.
	FAILS(bpf_map_delete_elem(fd, KEY(9, 10)), "not-found");
	OK(put(fd, KEY(9, 10), 2));
	FAILS(put(fd, KEY(8, 11), 3), "no-space");
}
