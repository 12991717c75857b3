// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Maps of an object, before and after load.
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "errors.h"
#include "globals.h"
#include "map_handle.h"
#include "object.h"
#include "types.h"

bool wb_loaded_map(const struct bpf_map *map, wasm_bpf_bpf_maps_borrow_map_t *handle)
{
	if (!map) {
		wb_refuse(EINVAL, "there is no map");
		return false;
	}
	if (map->fd < 0) {
		wb_refuse(EINVAL, "map '%s' is not created", map->name);
		return false;
	}
	return wb_map_of(map->fd, handle);
}

int wb_open_map(const struct bpf_map *map, const char *doing, wasm_bpf_bpf_objects_borrow_open_object_t *open)
{
	if (!map)
		return wb_refuse(EINVAL, "%s: there is no map", doing);
	if (map->outer)
		return wb_refuse(EINVAL, "%s: the map '%s' is a description of those inside '%s'", doing, map->name, map->outer->name);
	if (map->object->loaded)
		return wb_refuse(EBUSY, "%s: map '%s' can be changed only before its object is loaded", doing, map->name);
	*open = wasm_bpf_bpf_objects_borrow_open_object(map->object->open);
	return 0;
}

const char *bpf_map__name(const struct bpf_map *map)
{
	return map ? map->name : NULL;
}

int bpf_map__fd(const struct bpf_map *map)
{
	if (!map) {
		errno = EINVAL;
		return -EINVAL;
	}
	return map->fd;
}

// A setter: SETTER of the interface, VALUE as it takes it, FIELD that keeps NUMBER of an inner map, which the host gets to know at load.
#define SET(MAP, DOING, SETTER, VALUE, FIELD, NUMBER) \
	do { \
		wasm_bpf_bpf_objects_borrow_open_object_t open_; \
		wasm_bpf_bpf_objects_error_t error_; \
		wasm_bpf_string_t name_; \
		int err_; \
\
		if ((MAP)->outer && !(MAP)->object->loaded) { \
			(MAP)->FIELD = NUMBER; \
			(MAP)->changed = true; \
			return 0; \
		} \
		err_ = wb_open_map(MAP, DOING, &open_); \
		if (err_) \
			return err_; \
		name_ = wb_string((MAP)->declared); \
		if (!wasm_bpf_bpf_objects_method_open_object_##SETTER(open_, &name_, VALUE, &error_)) \
			return wb_fail(&error_, "change a map before load"); \
		wb_map_refresh(MAP); \
		return 0; \
	} while (0)

bool bpf_map__autocreate(const struct bpf_map *map)
{
	return map->autocreate;
}

int bpf_map__set_autocreate(struct bpf_map *map, bool autocreate)
{
	SET(map, "autocreate", set_autocreate, autocreate, autocreate, autocreate);
}

bool bpf_map__autoattach(const struct bpf_map *map)
{
	return map->autoattach;
}

int bpf_map__set_autoattach(struct bpf_map *map, bool autoattach)
{
	if (map->type != BPF_MAP_TYPE_STRUCT_OPS)
		return wb_refuse(EINVAL, "autoattach: map '%s' is no struct_ops map", map->name);
	map->autoattach = autoattach;
	return 0;
}

enum bpf_map_type bpf_map__type(const struct bpf_map *map)
{
	return map->type;
}

int bpf_map__set_type(struct bpf_map *map, enum bpf_map_type type)
{
	wasm_bpf_bpf_types_map_type_t wanted = wb_map_type(type);

	SET(map, "type", set_map_type, &wanted, type, type);
}

__u32 bpf_map__max_entries(const struct bpf_map *map)
{
	return map->max_entries;
}

int bpf_map__set_max_entries(struct bpf_map *map, __u32 count)
{
	SET(map, "max_entries", set_max_entries, count, max_entries, count);
}

__u32 bpf_map__map_flags(const struct bpf_map *map)
{
	return map->flags;
}

int bpf_map__set_map_flags(struct bpf_map *map, __u32 flags)
{
	SET(map, "flags", set_map_flags, flags, flags, flags);
}

__u32 bpf_map__numa_node(const struct bpf_map *map)
{
	return map->numa_node;
}

int bpf_map__set_numa_node(struct bpf_map *map, __u32 node)
{
	SET(map, "NUMA node", set_numa_node, node, numa_node, node);
}

__u32 bpf_map__key_size(const struct bpf_map *map)
{
	return map->key_size;
}

int bpf_map__set_key_size(struct bpf_map *map, __u32 size)
{
	SET(map, "key size", set_key_size, size, key_size, size);
}

__u32 bpf_map__value_size(const struct bpf_map *map)
{
	return map->value_size;
}

int bpf_map__set_value_size(struct bpf_map *map, __u32 size)
{
	if (map->global_data && !map->object->loaded)
		return wb_refuse(EOPNOTSUPP, "map '%s': global data has the size that the object's code is made for", map->name);
	SET(map, "value size", set_value_size, size, value_size, size);
}

__u64 bpf_map__map_extra(const struct bpf_map *map)
{
	return map->extra;
}

int bpf_map__set_map_extra(struct bpf_map *map, __u64 extra)
{
	SET(map, "map_extra", set_map_extra, extra, extra, extra);
}

__u32 bpf_map__ifindex(const struct bpf_map *map)
{
	(void)map;
	return 0;
}

int bpf_map__set_ifindex(struct bpf_map *map, __u32 ifindex)
{
	wasm_bpf_bpf_objects_borrow_open_object_t open;
	int err = wb_open_map(map, "interface", &open);

	if (err || !ifindex)
		return err;
	return wb_refuse(EOPNOTSUPP, "map '%s': no host offers maps in the hardware of network interfaces", map->name);
}

int bpf_map__set_initial_value(struct bpf_map *map, const void *data, size_t size)
{
	wasm_bpf_bpf_objects_borrow_open_object_t open;
	int err = wb_open_map(map, "initial value", &open);

	if (err)
		return err;
	if (!map->global_data || !strcmp(map->declared, ".kconfig"))
		return wb_refuse(EINVAL, "initial value: map '%s' has none that can be set", map->name);
	if (size != map->initial_size)
		return wb_refuse(EINVAL, "initial value of map '%s': it has %zu bytes, not %zu", map->name, map->initial_size, size);
	memcpy(map->initial_value, data, size);
	return 0;
}

bool bpf_map__is_internal(const struct bpf_map *map)
{
	return map->global_data;
}

// ---- Pins ----------------------------------------------------------------------------------------------------------

int bpf_map__set_pin_path(struct bpf_map *map, const char *path)
{
	char *copy = path ? strdup(path) : NULL;

	if (path && !copy)
		return wb_no_memory();
	// After load it is only a name: what bpf_map__pin() without a path means.
	if (!map->object->loaded) {
		wasm_bpf_bpf_objects_borrow_open_object_t open = wasm_bpf_bpf_objects_borrow_open_object(map->object->open);
		wasm_bpf_string_t name = wb_string(map->declared), text = wb_string(path);
		wasm_bpf_bpf_objects_error_t error;

		if (!wasm_bpf_bpf_objects_method_open_object_set_pin_path(open, &name, path ? &text : NULL, &error)) {
			free(copy);
			return wb_fail(&error, "change a map before load");
		}
	}
	free(map->pin_path);
	map->pin_path = copy;
	return 0;
}

const char *bpf_map__pin_path(const struct bpf_map *map)
{
	return map->pin_path;
}

const char *bpf_map__get_pin_path(const struct bpf_map *map)
{
	return map->pin_path;
}

bool bpf_map__is_pinned(const struct bpf_map *map)
{
	return map->pinned;
}

int bpf_map__pin(struct bpf_map *map, const char *path)
{
	wasm_bpf_bpf_maps_borrow_map_t handle;
	wasm_bpf_bpf_maps_error_t error;
	wasm_bpf_string_t text;

	if (!wb_loaded_map(map, &handle))
		return -errno;
	if (path && map->pin_path && strcmp(path, map->pin_path))
		return wb_refuse(EINVAL, "map '%s' has another pin path: %s", map->name, map->pin_path);
	if (map->pinned)
		return 0;
	if (!path)
		path = map->pin_path;
	if (!path)
		return wb_refuse(EINVAL, "no path to pin map '%s' at", map->name);
	text = wb_string(path);
	WB_CALL;
	if (!wasm_bpf_bpf_maps_method_map_pin(handle, &text, &error))
		return wb_fail(&error, "pin a map");
	if (!map->pin_path)
		map->pin_path = strdup(path);
	map->pinned = true;
	return 0;
}

int bpf_map__unpin(struct bpf_map *map, const char *path)
{
	wasm_bpf_bpf_maps_own_map_t pinned = { 0 };
	wasm_bpf_bpf_maps_borrow_map_t handle;
	wasm_bpf_bpf_maps_error_t error;
	wasm_bpf_string_t text;
	int err = 0;

	if (path && map->pin_path && strcmp(path, map->pin_path))
		return wb_refuse(EINVAL, "map '%s' has another pin path: %s", map->name, map->pin_path);
	if (!path)
		path = map->pin_path;
	if (!path)
		return wb_refuse(EINVAL, "no path to unpin map '%s' from", map->name);
	text = wb_string(path);
	WB_CALL;
	// A pin may be older than the object's own map, which need not even be created.
	if (!wasm_bpf_bpf_maps_static_map_open_pinned(&text, &pinned, &error))
		return wb_fail(&error, "unpin a map");
	handle = wasm_bpf_bpf_maps_borrow_map(pinned);
	if (!wasm_bpf_bpf_maps_method_map_unpin(handle, &text, &error))
		err = wb_fail(&error, "unpin a map");
	else
		map->pinned = false;
	wasm_bpf_bpf_maps_map_drop_own(pinned);
	return err;
}

// ---- Access, with lengths ------------------------------------------------------------------------------------------

static int check(const struct bpf_map *map, size_t key_size, size_t value_size, bool has_value, __u64 flags)
{
	const struct wb_map *known;
	uint32_t wanted;

	if (!map || map->fd < 0)
		return wb_refuse(ENOENT, "map '%s' is not created", map ? map->name : "(null)");
	known = wb_map_at(map->fd);
	if (!known)
		return -errno;
	if (key_size != known->key_size)
		return wb_refuse(EINVAL, "map '%s': a key has %u bytes, not %zu", map->name, known->key_size, key_size);
	wanted = wb_map_value_length(known, flags);
	if (has_value && value_size != wanted)
		return wb_refuse(EINVAL, "map '%s': a value has %u bytes, not %zu", map->name, wanted, value_size);
	return 0;
}

int bpf_map__lookup_elem(const struct bpf_map *map, const void *key, size_t key_size, void *value, size_t value_size, __u64 flags)
{
	int err = check(map, key_size, value_size, true, flags);

	return err ? err : bpf_map_lookup_elem_flags(map->fd, key, value, flags);
}

int bpf_map__update_elem(const struct bpf_map *map, const void *key, size_t key_size, const void *value, size_t value_size,
			 __u64 flags)
{
	int err = check(map, key_size, value_size, true, flags);

	return err ? err : bpf_map_update_elem(map->fd, key, value, flags);
}

int bpf_map__delete_elem(const struct bpf_map *map, const void *key, size_t key_size, __u64 flags)
{
	int err = check(map, key_size, 0, false, flags);

	return err ? err : bpf_map_delete_elem_flags(map->fd, key, flags);
}

int bpf_map__lookup_and_delete_elem(const struct bpf_map *map, const void *key, size_t key_size, void *value, size_t value_size,
				    __u64 flags)
{
	int err = check(map, key_size, value_size, true, flags);

	return err ? err : bpf_map_lookup_and_delete_elem_flags(map->fd, key, value, flags);
}

int bpf_map__get_next_key(const struct bpf_map *map, const void *key, void *next, size_t key_size)
{
	int err = check(map, key_size, 0, false, 0);

	return err ? err : bpf_map_get_next_key(map->fd, key, next);
}
