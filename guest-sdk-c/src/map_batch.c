// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Many entries of a map with one call.
//
// For the kernel, where a walk over a hash table is stands in the four bytes that the caller keeps between calls. Here these bytes are the
// number of a walk of the interface. Other kinds are walked from key to key, as in the kernel: there the caller keeps the last key.
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "errors.h"
#include "globals.h"
#include "map_access.h"
#include "map_handle.h"
#include "object.h"
#include "options.h"

#define WB_F_LOCK 4

// The kernel's own ENOTSUPP, which programs find where a kind of map has no batches: they go from key to key then.
#define WB_ENOTSUPP 524

// Keys, and values, of one crossing: the host takes no more keys, and no more than 16 MiB of values.
#define MAX_KEYS 65536u
#define MAX_BYTES (8u << 20)

// Programs may leave a walk before its end. So many are kept for a map; the oldest goes first.
#define MAX_WALKS 64

struct wb_walk {
	struct wb_walk *next;
	uint32_t number;
	bool deletes;
	wasm_bpf_bpf_maps_own_walk_t own;
	// One entry that was read ahead to know whether there is more.
	bool has_next;
	uint8_t *entry;
};

static void end_walk(struct wb_walk *walk)
{
	wasm_bpf_bpf_maps_walk_drop_own(walk->own);
	free(walk->entry);
	free(walk);
}

static void end_walks(struct wb_walk *walks)
{
	while (walks) {
		struct wb_walk *next = walks->next;

		end_walk(walks);
		walks = next;
	}
}

static bool is_hash(const struct wb_map *map)
{
	return map->type == BPF_MAP_TYPE_HASH || map->type == BPF_MAP_TYPE_PERCPU_HASH || map->type == BPF_MAP_TYPE_LRU_HASH ||
	       map->type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

// Whether the kernel has batches for a kind of map, or even those that delete.
static int check_kind(const struct wb_map *map, bool deletes)
{
	bool has = is_hash(map);

	switch (map->type) {
	case BPF_MAP_TYPE_LPM_TRIE:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
		has = true;
		break;
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
		has = !deletes;
		break;
	default:
		break;
	}
	return has ? 0 : wb_refuse(WB_ENOTSUPP, "the kernel has no such batches for this kind of map");
}

static int new_walk(struct wb_map *map, bool deletes, struct wb_walk **result)
{
	static uint32_t last;
	struct wb_walk *walk = calloc(1, sizeof(*walk)), **at = &map->walks;
	wasm_bpf_bpf_maps_error_code_t error;

	if (!walk)
		return wb_no_memory();
	if (!wasm_bpf_bpf_maps_static_walk_start(map->handle, deletes, &walk->own, &error)) {
		free(walk);
		return wb_fail_code(&error);
	}
	walk->number = ++last;
	walk->deletes = deletes;
	walk->next = map->walks;
	map->walks = walk;
	map->end_walks = end_walks;
	for (unsigned int i = 0; *at && i < MAX_WALKS; i++)
		at = &(*at)->next;
	end_walks(*at);
	*at = NULL;
	*result = walk;
	return 0;
}

static int find_walk(const struct wb_map *map, const void *token, bool deletes, struct wb_walk **result)
{
	uint32_t number;

	memcpy(&number, token, sizeof(number));
	for (*result = map->walks; *result; *result = (*result)->next) {
		if ((*result)->number == number && (*result)->deletes == deletes)
			return 0;
	}
	return wb_refuse(EINVAL, "in_batch is not what the call before gave, or the walk over the map was at its end");
}

static void remove_walk(struct wb_map *map, struct wb_walk *walk)
{
	struct wb_walk **at = &map->walks;

	while (*at != walk)
		at = &(*at)->next;
	*at = walk->next;
	end_walk(walk);
}

// How many entries to ask for at once.
static uint32_t portion(const struct wb_map *map, uint32_t wanted)
{
	uint32_t entry = map->value_length ? map->value_length : 1, most = MAX_BYTES / entry;

	if (most > MAX_KEYS)
		most = MAX_KEYS;
	if (!most)
		most = 1;
	return wanted < most ? wanted : most;
}

// Entries of a walk, `wanted` or fewer at its end; negative if there was an error before any.
static int64_t take(const struct wb_map *map, struct wb_walk *walk, uint8_t *keys, uint8_t *values, uint32_t wanted)
{
	wasm_bpf_bpf_maps_borrow_walk_t handle = wasm_bpf_bpf_maps_borrow_walk(walk->own);
	wasm_bpf_bpf_maps_error_code_t error;
	wasm_bpf_bpf_maps_batch_t batch;
	uint32_t got = 0;

	if (wanted && walk->has_next) {
		memcpy(keys, walk->entry, map->key_size);
		memcpy(values, walk->entry + map->key_size, map->value_length);
		walk->has_next = false;
		got = 1;
	}
	while (got < wanted) {
		uint32_t count;

		if (!wasm_bpf_bpf_maps_method_walk_next(handle, portion(map, wanted - got), &batch, &error)) {
			int err = wb_fail_code(&error);

			// What was read is given out; the next call meets the error again, or not.
			return got ? got : err;
		}
		count = batch.count;
		memcpy(keys + (size_t)got * map->key_size, batch.keys.ptr, batch.keys.len);
		memcpy(values + (size_t)got * map->value_length, batch.values.ptr, batch.values.len);
		wasm_bpf_list_u8_free(&batch.keys);
		wasm_bpf_list_u8_free(&batch.values);
		if (!count)
			break;
		got += count;
	}
	return got;
}

// Whether a walk is at its end. A walk that deletes is not asked: what is read ahead would be gone if the caller did not go on.
static int look_ahead(const struct wb_map *map, struct wb_walk *walk, bool *at_end)
{
	int64_t got;

	*at_end = false;
	if (walk->deletes)
		return 0;
	if (!walk->entry)
		walk->entry = malloc((size_t)map->key_size + map->value_length);
	if (!walk->entry)
		return wb_no_memory();
	got = take(map, walk, walk->entry, walk->entry + map->key_size, 1);
	if (got < 0)
		return got;
	walk->has_next = got;
	*at_end = !got;
	return 0;
}

static int at_end(void)
{
	const wasm_bpf_bpf_types_error_code_t code = { .tag = WASM_BPF_BPF_TYPES_ERROR_CODE_NOT_FOUND };

	return wb_fail_code(&code);
}

static int batch_of_hash(struct wb_map *map, const void *in_batch, void *out_batch, void *keys, void *values, uint32_t *count, bool deletes)
{
	uint32_t wanted = *count;
	struct wb_walk *walk;
	bool ended;
	int64_t got;
	int err;

	*count = 0;
	err = in_batch ? find_walk(map, in_batch, deletes, &walk) : new_walk(map, deletes, &walk);
	if (err)
		return err;
	memcpy(out_batch, &walk->number, sizeof(walk->number));
	got = take(map, walk, keys, values, wanted);
	if (got < 0)
		return got;
	*count = got;
	ended = got < wanted;
	err = ended ? 0 : look_ahead(map, walk, &ended);
	if (err || !ended)
		return err;
	remove_walk(map, walk);
	return at_end();
}

// From key to key: the values of keys that are gone meanwhile are left out.
static int batch_of_keys(const struct wb_map *map, const void *in_batch, void *out_batch, uint8_t *keys, uint8_t *values, uint32_t *count)
{
	wasm_bpf_list_u8_t after = wb_bytes(in_batch, map->key_size), found;
	wasm_bpf_bpf_maps_found_values_t several;
	wasm_bpf_bpf_maps_error_code_t error;
	uint32_t wanted = *count;
	bool first = !in_batch;

	*count = 0;
	while (*count < wanted) {
		uint32_t got;

		if (!wasm_bpf_bpf_maps_method_map_keys(map->handle, first ? NULL : &after, portion(map, wanted - *count), &found, &error))
			return wb_fail_code(&error);
		got = found.len / map->key_size;
		if (!got) {
			wasm_bpf_list_u8_free(&found);
			return at_end();
		}
		if (!wasm_bpf_bpf_maps_method_map_lookup_many(map->handle, &found, &several, &error)) {
			wasm_bpf_list_u8_free(&found);
			return wb_fail_code(&error);
		}
		for (uint32_t i = 0; i < got; i++) {
			if (!(several.found.ptr[i / 8] >> i % 8 & 1))
				continue;
			memcpy(keys + (size_t)*count * map->key_size, found.ptr + (size_t)i * map->key_size, map->key_size);
			memcpy(values + (size_t)*count * map->value_length, several.values.ptr + (size_t)i * map->value_length, map->value_length);
			++*count;
		}
		memcpy(out_batch, found.ptr + (size_t)(got - 1) * map->key_size, map->key_size);
		after = wb_bytes(out_batch, map->key_size);
		first = false;
		wasm_bpf_list_u8_free(&several.values);
		wasm_bpf_list_u8_free(&several.found);
		wasm_bpf_list_u8_free(&found);
	}
	return 0;
}

// Values that have a lock are read once more, under it. Those of keys that are gone by now are left out.
static int read_locked(int fd, const struct wb_map *map, uint8_t *keys, uint8_t *values, uint32_t *count)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < *count; i++) {
		uint8_t *key = keys + (size_t)i * map->key_size;
		int err = bpf_map_lookup_elem_flags(fd, key, values + (size_t)kept * map->value_length, WB_F_LOCK);

		if (err == -ENOENT)
			continue;
		if (err)
			return err;
		memmove(keys + (size_t)kept * map->key_size, key, map->key_size);
		kept++;
	}
	*count = kept;
	return 0;
}

static int check_options(const struct bpf_map_batch_opts *opts, __u64 known)
{
	if (!WB_OPTIONS_VALID(opts, bpf_map_batch_opts))
		return -EINVAL;
	if (WB_OPTION(opts, flags, 0))
		return wb_refuse(EINVAL, "batches of maps have no flags but those of their elements");
	if (WB_OPTION(opts, elem_flags, 0) & ~known)
		return wb_refuse(EINVAL, "batches of maps cannot be used with the flags %#llx", (unsigned long long)opts->elem_flags);
	return 0;
}

static int lookup(int fd, void *in_batch, void *out_batch, void *keys, void *values, __u32 *count, const struct bpf_map_batch_opts *opts,
		  bool deletes)
{
	struct wb_map *map = (struct wb_map *)wb_map_at(fd);
	int err, locked;

	if (!map)
		return -errno;
	err = check_options(opts, deletes ? 0 : WB_F_LOCK);
	if (err)
		return err;
	err = check_kind(map, false);
	if (!err && deletes && !is_hash(map))
		err = wb_refuse(WB_ENOTSUPP, "the kernel looks up and deletes in batches only in hash maps");
	if (err)
		return err;
	WB_CALL;
	// As in the kernel: nothing is asked for, and nothing happens.
	if (!*count)
		return 0;
	err = is_hash(map) ? batch_of_hash(map, in_batch, out_batch, keys, values, count, deletes)
			   : batch_of_keys(map, in_batch, out_batch, keys, values, count);
	if ((err && err != -ENOENT) || !(WB_OPTION(opts, elem_flags, 0) & WB_F_LOCK))
		return err;
	locked = read_locked(fd, map, keys, values, count);
	return locked ? locked : err ? at_end() : 0;
}

int bpf_map_lookup_batch(int fd, void *in_batch, void *out_batch, void *keys, void *values, __u32 *count,
			 const struct bpf_map_batch_opts *opts)
{
	return lookup(fd, in_batch, out_batch, keys, values, count, opts, false);
}

int bpf_map_lookup_and_delete_batch(int fd, void *in_batch, void *out_batch, void *keys, void *values, __u32 *count,
				    const struct bpf_map_batch_opts *opts)
{
	return lookup(fd, in_batch, out_batch, keys, values, count, opts, true);
}

static int update_in_portions(const struct wb_map *map, const uint8_t *keys, const uint8_t *values, __u32 *count, __u64 mode)
{
	uint32_t wanted = *count;

	*count = 0;
	while (*count < wanted) {
		uint32_t now = portion(map, wanted - *count);
		wasm_bpf_list_u8_t some = wb_bytes(keys + (size_t)*count * map->key_size, (size_t)now * map->key_size);
		wasm_bpf_list_u8_t their = wb_bytes(values + (size_t)*count * map->value_length, (size_t)now * map->value_length);
		wasm_bpf_bpf_maps_error_code_t error;
		wasm_bpf_bpf_maps_updated_t updated;

		if (!wasm_bpf_bpf_maps_method_map_update_many(map->handle, &some, &their, mode, &updated, &error))
			return wb_fail_code(&error);
		*count += updated.count;
		if (updated.failed.is_some)
			return wb_fail_code(&updated.failed.val);
	}
	return 0;
}

int bpf_map_update_batch(int fd, const void *keys, const void *values, __u32 *count, const struct bpf_map_batch_opts *opts)
{
	const struct wb_map *map = wb_map_at(fd);
	const uint8_t *key = keys, *value = values;
	uint32_t wanted = *count;
	__u64 flags;
	int err;

	if (!map)
		return -errno;
	err = check_options(opts, BPF_NOEXIST | BPF_EXIST | WB_F_LOCK);
	if (!err)
		err = check_kind(map, false);
	if (err)
		return err;
	flags = WB_OPTION(opts, elem_flags, 0);
	WB_CALL;
	// The modes of the interface have the numbers of the flags.
	if (flags <= BPF_EXIST && !wb_map_has_objects(map->type))
		return update_in_portions(map, key, value, count, flags);
	for (*count = 0; *count < wanted; ++*count) {
		err = bpf_map_update_elem(fd, key + (size_t)*count * map->key_size, value + (size_t)*count * map->value_length, flags);
		if (err)
			return err;
	}
	return 0;
}

// One by one: the interface's way for many goes on past a key that is not there, the kernel's ends at it.
int bpf_map_delete_batch(int fd, const void *keys, __u32 *count, const struct bpf_map_batch_opts *opts)
{
	const struct wb_map *map = wb_map_at(fd);
	uint32_t wanted = *count;
	int err;

	if (!map)
		return -errno;
	err = check_options(opts, WB_F_LOCK);
	if (!err)
		err = check_kind(map, true);
	if (err)
		return err;
	WB_CALL;
	for (*count = 0; *count < wanted; ++*count) {
		err = bpf_map_delete_elem(fd, (const uint8_t *)keys + (size_t)*count * map->key_size);
		if (err)
			return err;
	}
	return 0;
}

_Static_assert(WASM_BPF_BPF_MAPS_UPDATE_MODE_ANY == BPF_ANY && WASM_BPF_BPF_MAPS_UPDATE_MODE_CREATE == BPF_NOEXIST &&
	       WASM_BPF_BPF_MAPS_UPDATE_MODE_REPLACE == BPF_EXIST, "modes and flags");
