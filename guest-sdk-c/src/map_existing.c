// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Maps that exist, in place of those that an object declares or as a pattern of them.
#include <stdlib.h>

#include <bpf/bpf.h>

#include "descriptors.h"
#include "errors.h"
#include "globals.h"
#include "map_handle.h"
#include "object.h"
#include "types.h"

// The declaration has to say what the existing map is like, before the host takes it. libbpf sets that by itself.
static int adjust(struct bpf_map *map, const struct wb_map *existing)
{
	int err = 0;

	if (map->type != existing->type)
		err = bpf_map__set_type(map, existing->type);
	if (!err && map->key_size != existing->key_size)
		err = bpf_map__set_key_size(map, existing->key_size);
	if (!err && map->value_size != existing->value_size)
		err = bpf_map__set_value_size(map, existing->value_size);
	return err;
}

int bpf_map__reuse_fd(struct bpf_map *map, int fd)
{
	const struct wb_map *existing = wb_map_at(fd);
	wasm_bpf_bpf_objects_borrow_open_object_t open;
	wasm_bpf_bpf_objects_error_t error;
	wasm_bpf_string_t name;
	int err;

	if (!existing)
		return -errno;
	WB_CALL;
	err = wb_open_map(map, "reuse", &open);
	if (!err)
		err = adjust(map, existing);
	if (err)
		return err;
	name = wb_string(map->declared);
	if (!wasm_bpf_bpf_objects_method_open_object_reuse_map(open, &name, existing->handle, &error))
		return wb_fail(&error, "change a map before load");
	map->reused = true;
	wb_map_refresh(map);
	return 0;
}

static bool holds_maps(const struct bpf_map *map)
{
	return map->type == BPF_MAP_TYPE_ARRAY_OF_MAPS || map->type == BPF_MAP_TYPE_HASH_OF_MAPS;
}

static int set_inner(struct bpf_map *map, const struct wb_map *inner)
{
	wasm_bpf_bpf_objects_borrow_open_object_t open;
	wasm_bpf_bpf_objects_error_t error;
	wasm_bpf_string_t name;
	int err = wb_open_map(map, "inner map", &open);

	if (err)
		return err;
	name = wb_string(map->declared);
	if (!wasm_bpf_bpf_objects_method_open_object_set_inner_map(open, &name, inner->handle, &error))
		return wb_fail(&error, "change a map before load");
	return 0;
}

int bpf_map__set_inner_map_fd(struct bpf_map *map, int fd)
{
	const struct wb_map *inner = wb_map_at(fd);
	int err;

	if (!inner)
		return -errno;
	if (!holds_maps(map))
		return wb_refuse(EINVAL, "map '%s' holds no maps", map->name);
	WB_CALL;
	err = set_inner(map, inner);
	if (err)
		return err;
	// The declaration counts no more.
	if (map->inner) {
		free(map->inner->name);
		free(map->inner);
		map->inner = NULL;
	}
	return 0;
}

// The interface knows no setters of what an inner map is like, but takes any map as the pattern: one is made.
static int hand_over_inner_maps(struct bpf_object *object)
{
	for (size_t i = 0; i < object->map_count; i++) {
		struct bpf_map *map = &object->maps[i];
		LIBBPF_OPTS(bpf_map_create_opts, options);
		int fd, err;

		if (!map->inner || !map->inner->changed)
			continue;
		options.map_flags = map->inner->flags;
		options.map_extra = map->inner->extra;
		options.numa_node = map->inner->numa_node;
		fd = bpf_map_create(map->inner->type, NULL, map->inner->key_size, map->inner->value_size, map->inner->max_entries, &options);
		if (fd < 0)
			return fd;
		err = set_inner(map, wb_map_at(fd));
		wb_descriptor_close(fd);
		if (err)
			return err;
		map->inner->changed = false;
	}
	return 0;
}

struct bpf_map *bpf_map__inner_map(struct bpf_map *map)
{
	if (!holds_maps(map))
		return wb_null(-EINVAL);
	map->object->before_load = hand_over_inner_maps;
	return map->inner;
}
