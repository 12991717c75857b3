// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "map_handle.h"

#include <stdlib.h>

#include "errors.h"
#include "types.h"

static void release(void *it)
{
	struct wb_map *map = it;

	if (map->walks)
		map->end_walks(map->walks);
	wasm_bpf_bpf_maps_map_drop_own(map->own);
	free(map);
}

static int store_in(void *it, wasm_bpf_bpf_maps_borrow_map_t map, wasm_bpf_list_u8_t *key, wasm_bpf_bpf_maps_update_mode_t mode)
{
	const struct wb_map *inner = it;
	wasm_bpf_bpf_maps_error_code_t error;

	return wasm_bpf_bpf_maps_method_map_update_map(map, key, inner->handle, mode, &error) ? 0 : wb_fail_code(&error);
}

static const struct wb_operations operations = { .kind = WB_MAP, .release = release, .store_in = store_in };

static bool is_number(uint32_t size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

int wb_map_descriptor(wasm_bpf_bpf_maps_own_map_t handle)
{
	struct wb_map *map = malloc(sizeof(*map));
	wasm_bpf_bpf_maps_map_info_t info;

	if (!map) {
		wasm_bpf_bpf_maps_map_drop_own(handle);
		errno = ENOMEM;
		return -ENOMEM;
	}
	*map = (struct wb_map){ .own = handle, .handle = wasm_bpf_bpf_maps_borrow_map(handle) };
	wasm_bpf_bpf_maps_method_map_info(map->handle, &info);
	map->type = wb_map_type_number(&info.type);
	map->id = info.id;
	map->key_size = info.key_size;
	map->value_size = info.value_size;
	map->value_length = info.value_length;
	map->max_entries = info.max_entries;
	map->flags = info.flags;
	map->extra = info.extra;
	wasm_bpf_string_free(&info.name);
	switch (map->type) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_LRU_HASH:
		map->has_numbers = is_number(map->key_size) && is_number(map->value_size);
		break;
	default:
		break;
	}
	return wb_descriptor_new(&operations, map);
}

const struct wb_map *wb_map_at(int fd)
{
	const struct wb_map *map = wb_descriptor_get(fd, WB_MAP);

	if (!map)
		wb_refuse(wb_descriptor_any(fd, NULL) ? EINVAL : EBADF, "%d is no descriptor of a map", fd);
	return map;
}

bool wb_map_of(int fd, wasm_bpf_bpf_maps_borrow_map_t *handle)
{
	const struct wb_map *map = wb_descriptor_get(fd, WB_MAP);

	if (map)
		*handle = map->handle;
	return map;
}

// Newer than some headers of the kernel.
#define WB_F_CPU 8
#define WB_F_ALL_CPUS 16

uint32_t wb_map_value_length(const struct wb_map *map, uint64_t flags)
{
	return flags & (WB_F_CPU | WB_F_ALL_CPUS) ? map->value_size : map->value_length;
}
