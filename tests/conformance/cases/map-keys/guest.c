// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Keys, one after the other and in pages.
#include "conformance.h"

// Keys that were seen.
#define MOST 5000

struct seen {
	bool keys[MOST];
	__u32 count;
};

// Whether it is the first time.
static bool see(struct seen *seen, __u32 key)
{
	CHECK(key < MOST);
	if (seen->keys[key])
		return false;
	seen->keys[key] = true;
	seen->count++;
	return true;
}

// Those below `count`, and no others.
static void are_below(const struct seen *seen, __u32 count)
{
	CHECK_EQ(seen->count, count);
	for (__u32 key = 0; key < count; key++)
		CHECK(seen->keys[key]);
}

// A hash table with the keys below `count`.
static int filled(__u32 count)
{
	int fd = OK(bpf_map_create(BPF_MAP_TYPE_HASH, "tested", 4, 4, count ? count : 1, NULL));
	static __u32 keys[MOST];
	__u32 stored = count;

	for (__u32 key = 0; key < count; key++)
		keys[key] = key;
	OK(bpf_map_update_batch(fd, keys, keys, &stored, NULL));
	CHECK_EQ(stored, count);
	return fd;
}

// A page of keys after one, or the first for NULL: how many bytes. They are kept in `page`, which is freed by the next call.
static size_t page_of(int fd, const void *after, size_t key_size, __u32 most, const __u8 **page)
{
	static wasm_bpf_list_u8_t keys;
	wasm_bpf_list_u8_t start = bytes(after, key_size);
	wasm_bpf_bpf_maps_error_code_t error;
	wasm_bpf_list_u8_t next;

	// `after` may be in the page before.
	CHECK(wasm_bpf_bpf_maps_method_map_keys(raw_map(fd), after ? &start : NULL, most, &next, &error));
	wasm_bpf_list_u8_free(&keys);
	keys = next;
	*page = keys.ptr;
	return keys.len;
}

// The keys in pages, each as often as it comes; returns how many bytes the largest page had.
static size_t page_through(int fd, size_t key_size, __u32 most, struct seen *seen)
{
	const __u8 *page = NULL, *after = NULL;
	size_t length, largest = 0;

	while ((length = page_of(fd, after, key_size, most, &page))) {
		CHECK_EQ(length % key_size, 0);
		largest = length > largest ? length : largest;
		for (size_t at = 0; at < length; at += key_size) {
			__u32 key;

			memcpy(&key, page + at, sizeof(key));
			// Nobody changes it: no key comes twice.
			CHECK(see(seen, key));
		}
		after = page + length - key_size;
	}
	return largest;
}

// In pages and one by one.
void case_all(void)
{
	static const __u32 counts[] = { 0, 1, 2, 4096, 5000 };

	for (size_t i = 0; i < LENGTH(counts); i++) {
		static struct seen in_pages, walked;
		int fd = filled(counts[i]);
		__u32 key, *after = NULL;

		in_pages = walked = (struct seen){};
		page_through(fd, sizeof(key), 4096, &in_pages);
		are_below(&in_pages, counts[i]);
		while (!bpf_map_get_next_key(fd, after, &key)) {
			CHECK(see(&walked, key));
			after = &key;
		}
		CHECK_EQ(errno, ENOENT);
		are_below(&walked, counts[i]);
	}
}

// A walk that begins after a key of zeros misses it.
void case_first(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);
	static const __u8 zeros[8], seven[4] = { 7, 7, 7, 7 };
	const struct {
		int fd;
		size_t key_size;
	} maps[] = {
		{ OK(bpf_map_create(BPF_MAP_TYPE_HASH, "tested", 4, 4, 4, NULL)), 4 },
		{ OK(bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, "tested", 8, 4, 4, &options)), 8 },
		{ OK(bpf_map_create(BPF_MAP_TYPE_ARRAY, "tested", 4, 4, 1, NULL)), 4 },
	};
	wasm_bpf_bpf_maps_error_code_t error;
	wasm_bpf_bpf_maps_own_walk_t own;
	wasm_bpf_bpf_maps_batch_t batch;
	const __u8 *page;
	__u8 key[8];

	FAILS(bpf_map_get_next_key(maps[0].fd, NULL, key), "not-found");
	for (size_t i = 0; i < LENGTH(maps); i++) {
		const size_t size = maps[i].key_size;
		int fd = maps[i].fd;

		OK(bpf_map_update_elem(fd, zeros, seven, BPF_ANY));
		memset(key, 0xff, sizeof(key));
		OK(bpf_map_get_next_key(fd, NULL, key));
		CHECK_MEM(key, zeros, size);
		FAILS(bpf_map_get_next_key(fd, zeros, key), "not-found");
		CHECK_EQ(page_of(fd, NULL, size, 9, &page), size);
		CHECK_MEM(page, zeros, size);
		CHECK_EQ(page_of(fd, zeros, size, 9, &page), 0);
		CHECK(wasm_bpf_bpf_maps_static_walk_start(raw_map(fd), false, &own, &error));
		CHECK(wasm_bpf_bpf_maps_method_walk_next(wasm_bpf_bpf_maps_borrow_walk(own), 9, &batch, &error));
		CHECK_EQ(batch.count, 1);
		CHECK_EQ(batch.keys.len, size);
		CHECK_MEM(batch.keys.ptr, zeros, size);
		CHECK(wasm_bpf_bpf_maps_method_walk_next(wasm_bpf_bpf_maps_borrow_walk(own), 9, &batch, &error));
		CHECK_EQ(batch.count, 0);
		wasm_bpf_bpf_maps_walk_drop_own(own);
	}
}

// What comes after a key that is not in the map.
void case_gone(void)
{
	static const __u32 missing = 77, last = 2, indexes[] = { 0, 1, 2 };
	int hash = filled(2), array = OK(bpf_map_create(BPF_MAP_TYPE_ARRAY, "tested", 4, 4, 3, NULL));
	__u32 first, next;
	const __u8 *page;

	OK(bpf_map_get_next_key(hash, NULL, &first));
	OK(bpf_map_get_next_key(hash, &missing, &next));
	CHECK_EQ(next, first);
	CHECK_EQ(page_of(array, NULL, 4, 9, &page), sizeof(indexes));
	CHECK_MEM(page, indexes, sizeof(indexes));
	CHECK_EQ(page_of(array, &missing, 4, 1, &page), sizeof(indexes[0]));
	CHECK_MEM(page, &indexes[0], sizeof(indexes[0]));
	FAILS(bpf_map_get_next_key(array, &last, &next), "not-found");
}

// By seven, and all at once.
void case_pages(void)
{
	int fd = OK(bpf_map_create(BPF_MAP_TYPE_HASH, "tested", 4, 4, 1000, NULL));
	wasm_bpf_bpf_maps_error_code_t error;
	static struct seen seen;
	wasm_bpf_list_u8_t keys;
	const __u8 *page;

	CHECK_EQ(page_of(fd, NULL, 4, 7, &page), 0);
	for (__u32 key = 0; key < 1000; key++)
		OK(bpf_map_update_elem(fd, &key, &key, BPF_ANY));
	CHECK(page_through(fd, 4, 7, &seen) <= 7 * 4);
	are_below(&seen, 1000);
	CHECK_EQ(page_of(fd, NULL, 4, UINT32_MAX, &page), 4000);
	FAILS_CODE(wasm_bpf_bpf_maps_method_map_keys(raw_map(fd), NULL, 0, &keys, &error), error, "invalid-argument");
}

// Keys of 512 bytes, the longest of a hash table.
void case_large_pages(void)
{
	int fd = OK(bpf_map_create(BPF_MAP_TYPE_HASH, "tested", 512, 1, 3000, NULL));
	static __u8 keys[3000][512], values[3000];
	static struct seen seen;
	__u32 count = 3000;

	for (__u32 key = 0; key < 3000; key++)
		memcpy(keys[key], &key, sizeof(key));
	OK(bpf_map_update_batch(fd, keys, values, &count, NULL));
	CHECK_EQ(count, 3000);
	CHECK(page_through(fd, 512, UINT32_MAX, &seen) <= 1 << 20);
	are_below(&seen, 3000);
}

// A walk over the keys of a map that is changed meanwhile. It goes on after a key of the page that is still there; if none is, the kernel
// starts at the first: better a key twice than one not at all. So there is an end to how many may come.
struct walk {
	int fd;
	__u32 left, at, count, page[4096];
};

static struct walk *walk_over(int fd, __u32 max_entries)
{
	static struct walk walk;

	walk = (struct walk){ .fd = fd, .left = 2 * max_entries };
	return &walk;
}

static bool next(struct walk *walk, __u32 *key)
{
	if (walk->at == walk->count) {
		const __u8 *page;
		size_t length;
		__u32 value;

		while (walk->count && bpf_map_lookup_elem(walk->fd, &walk->page[walk->count - 1], &value))
			walk->count--;
		length = page_of(walk->fd, walk->count ? &walk->page[walk->count - 1] : NULL, sizeof(*key), LENGTH(walk->page), &page);
		CHECK(length <= sizeof(walk->page));
		if (length)
			memcpy(walk->page, page, length);
		walk->at = 0;
		walk->count = length / sizeof(*key);
	}
	if (!walk->count || !walk->left)
		return false;
	walk->left--;
	*key = walk->page[walk->at++];
	return true;
}

// The key that a walk stands on is deleted, others, or each.
void case_while_deleting(void)
{
	// Every second key is deleted before, while and after the walk comes to it.
	int fd = filled(5000);
	struct walk *walk = walk_over(fd, 5000);
	static struct seen seen;
	__u32 key, count = 0;

	while (next(walk, &key)) {
		const __u32 deleted[] = { key, key * 7 % 5000 };

		see(&seen, key);
		for (size_t i = 0; i < LENGTH(deleted); i++) {
			// Some were deleted before.
			if (deleted[i] % 2 == 1 && bpf_map_delete_elem(fd, &deleted[i]))
				CHECK_EQ(errno, ENOENT);
		}
	}
	// A key that was there all the time is not missing.
	for (key = 0; key < 5000; key += 2)
		CHECK(seen.keys[key]);
	// Each key is deleted as soon as it comes.
	fd = filled(5000);
	for (walk = walk_over(fd, 5000); next(walk, &key); count++)
		OK(bpf_map_delete_elem(fd, &key));
	CHECK_EQ(count, 5000);
	FAILS(bpf_map_get_next_key(fd, NULL, &key), "not-found");
	// And each comes back at once: the walk ends all the same.
	fd = filled(1000);
	for (walk = walk_over(fd, 1000); next(walk, &key);) {
		OK(bpf_map_delete_elem(fd, &key));
		OK(bpf_map_update_elem(fd, &key, &key, BPF_ANY));
	}
}
