// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Values of maps by descriptor. Where values are kernel objects they are descriptors for libbpf, and handles for the interface:
// map_objects.c.
#include <string.h>

#include <bpf/bpf.h>

#include "errors.h"
#include "globals.h"
#include "map_access.h"
#include "map_handle.h"
#include "object.h"

// The flags that are an update-mode; others go to the functions that take flags.
static bool mode_of(__u64 flags, wasm_bpf_bpf_maps_update_mode_t *mode)
{
	switch (flags) {
	case BPF_ANY:
		*mode = WASM_BPF_BPF_MAPS_UPDATE_MODE_ANY;
		return true;
	case BPF_NOEXIST:
		*mode = WASM_BPF_BPF_MAPS_UPDATE_MODE_CREATE;
		return true;
	case BPF_EXIST:
		*mode = WASM_BPF_BPF_MAPS_UPDATE_MODE_REPLACE;
		return true;
	}
	return false;
}

static __u64 read_number(const void *from, uint32_t size)
{
	__u64 number = 0;

	memcpy(&number, from, size);
	return number;
}

static int not_found(void)
{
	const wasm_bpf_bpf_types_error_code_t code = { .tag = WASM_BPF_BPF_TYPES_ERROR_CODE_NOT_FOUND };

	return wb_fail_code(&code);
}

// Copies what was found to the caller.
static int give(const struct wb_map *map, wasm_bpf_option_list_u8_t *found, void *value)
{
	if (!found->is_some)
		return not_found();
	// The host's answer has this length: it is what the caller has to have room for, by libbpf's contract.
	memcpy(value, found->val.ptr, found->val.len < map->value_length ? found->val.len : map->value_length);
	wasm_bpf_option_list_u8_free(found);
	return 0;
}

int bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags)
{
	const struct wb_map *map = wb_map_at(fd);
	wasm_bpf_bpf_maps_update_mode_t mode;
	wasm_bpf_bpf_maps_error_code_t error;
	wasm_bpf_list_u8_t keys, values;
	bool has_mode, done;

	if (!map)
		return -errno;
	WB_CALL;
	has_mode = mode_of(flags, &mode);
	if (wb_map_has_objects(map->type))
		return has_mode ? wb_map_update_object(map, key, value, mode)
				: wb_refuse(EINVAL, "a map of kernel objects cannot be updated with the flags %#llx", (unsigned long long)flags);
	keys = wb_bytes(key, map->key_size);
	values = wb_bytes(value, map->value_length);
	switch (map->type) {
	case BPF_MAP_TYPE_QUEUE:
	case BPF_MAP_TYPE_STACK:
	case BPF_MAP_TYPE_BLOOM_FILTER:
		if (flags != BPF_ANY && flags != BPF_EXIST)
			return wb_refuse(EINVAL, "a queue, stack or bloom filter takes BPF_ANY or BPF_EXIST, not %#llx", (unsigned long long)flags);
		done = wasm_bpf_bpf_maps_method_map_push(map->handle, &values, flags == BPF_EXIST, &error);
		break;
	default:
		if (!has_mode)
			done = wasm_bpf_bpf_maps_method_map_update_with(map->handle, &keys, &values, flags, &error);
		else if (map->has_numbers)
			done = wasm_bpf_bpf_maps_method_map_update_number(map->handle, read_number(key, map->key_size),
									  read_number(value, map->value_size), mode, &error);
		else
			done = wasm_bpf_bpf_maps_method_map_update(map->handle, &keys, &values, mode, &error);
	}
	return done ? 0 : wb_fail_code(&error);
}

int bpf_map_lookup_elem_flags(int fd, const void *key, void *value, __u64 flags)
{
	const struct wb_map *map = wb_map_at(fd);
	wasm_bpf_bpf_maps_error_code_t error;
	wasm_bpf_option_list_u8_t found;
	wasm_bpf_list_u8_t keys;
	bool done;

	if (!map)
		return -errno;
	WB_CALL;
	if (wb_map_has_objects(map->type))
		return flags ? wb_refuse(EINVAL, "a map of kernel objects cannot be looked up with the flags %#llx", (unsigned long long)flags)
			     : wb_map_lookup_object(map, key, value);
	keys = wb_bytes(key, map->key_size);
	if (flags) {
		done = wasm_bpf_bpf_maps_method_map_lookup_with(map->handle, &keys, flags, &found, &error);
	} else if (map->has_numbers) {
		wasm_bpf_option_u64_t number;

		if (!wasm_bpf_bpf_maps_method_map_lookup_number(map->handle, read_number(key, map->key_size), &number, &error))
			return wb_fail_code(&error);
		if (!number.is_some)
			return not_found();
		memcpy(value, &number.val, map->value_size);
		return 0;
	} else if (map->type == BPF_MAP_TYPE_QUEUE || map->type == BPF_MAP_TYPE_STACK) {
		done = wasm_bpf_bpf_maps_method_map_peek(map->handle, &found, &error);
	} else if (map->type == BPF_MAP_TYPE_BLOOM_FILTER) {
		wasm_bpf_list_u8_t values = wb_bytes(value, map->value_length);
		bool contains;

		if (!wasm_bpf_bpf_maps_method_map_contains(map->handle, &values, &contains, &error))
			return wb_fail_code(&error);
		return contains ? 0 : not_found();
	} else {
		done = wasm_bpf_bpf_maps_method_map_lookup(map->handle, &keys, &found, &error);
	}
	return done ? give(map, &found, value) : wb_fail_code(&error);
}

int bpf_map_lookup_elem(int fd, const void *key, void *value)
{
	return bpf_map_lookup_elem_flags(fd, key, value, 0);
}

int bpf_map_lookup_and_delete_elem_flags(int fd, const void *key, void *value, __u64 flags)
{
	const struct wb_map *map = wb_map_at(fd);
	wasm_bpf_bpf_maps_error_code_t error;
	wasm_bpf_option_list_u8_t found;
	wasm_bpf_list_u8_t keys;
	bool done;

	if (!map)
		return -errno;
	WB_CALL;
	keys = wb_bytes(key, map->key_size);
	if (flags)
		done = wasm_bpf_bpf_maps_method_map_lookup_and_delete_with(map->handle, &keys, flags, &found, &error);
	else if (map->type == BPF_MAP_TYPE_QUEUE || map->type == BPF_MAP_TYPE_STACK)
		done = wasm_bpf_bpf_maps_method_map_pop(map->handle, &found, &error);
	else
		done = wasm_bpf_bpf_maps_method_map_lookup_and_delete(map->handle, &keys, &found, &error);
	return done ? give(map, &found, value) : wb_fail_code(&error);
}

int bpf_map_lookup_and_delete_elem(int fd, const void *key, void *value)
{
	return bpf_map_lookup_and_delete_elem_flags(fd, key, value, 0);
}

int bpf_map_delete_elem_flags(int fd, const void *key, __u64 flags)
{
	const struct wb_map *map = wb_map_at(fd);
	wasm_bpf_bpf_maps_error_code_t error;
	wasm_bpf_list_u8_t keys;
	bool was_there;

	if (!map)
		return -errno;
	if (flags)
		return wb_refuse(EINVAL, "a key cannot be deleted with the flags %#llx", (unsigned long long)flags);
	WB_CALL;
	if (wb_map_is_storage(map->type))
		return wb_map_delete_storage(map, key);
	keys = wb_bytes(key, map->key_size);
	if (!wasm_bpf_bpf_maps_method_map_delete(map->handle, &keys, &was_there, &error))
		return wb_fail_code(&error);
	return was_there ? 0 : not_found();
}

int bpf_map_delete_elem(int fd, const void *key)
{
	return bpf_map_delete_elem_flags(fd, key, 0);
}

int bpf_map_get_next_key(int fd, const void *key, void *next_key)
{
	const struct wb_map *map = wb_map_at(fd);
	wasm_bpf_bpf_maps_error_code_t error;
	wasm_bpf_option_list_u8_t next;
	wasm_bpf_list_u8_t after;

	if (!map)
		return -errno;
	WB_CALL;
	after = wb_bytes(key, map->key_size);
	if (!wasm_bpf_bpf_maps_method_map_next_key(map->handle, key ? &after : NULL, &next, &error))
		return wb_fail_code(&error);
	if (!next.is_some)
		return not_found();
	memcpy(next_key, next.val.ptr, next.val.len < map->key_size ? next.val.len : map->key_size);
	wasm_bpf_option_list_u8_free(&next);
	return 0;
}

int bpf_map_freeze(int fd)
{
	const struct wb_map *map = wb_map_at(fd);
	wasm_bpf_bpf_maps_error_code_t error;

	if (!map)
		return -errno;
	WB_CALL;
	return wasm_bpf_bpf_maps_method_map_freeze(map->handle, &error) ? 0 : wb_fail_code(&error);
}
