// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <string.h>

#include "descriptors.h"
#include "errors.h"
#include "map_access.h"
#include "object.h"
#include "paths.h"

// Newer than some headers of the kernel.
#define WB_MAP_TYPE_CGRP_STORAGE 32

bool wb_map_is_storage(enum bpf_map_type type)
{
	switch ((int)type) {
	case BPF_MAP_TYPE_SK_STORAGE:
	case BPF_MAP_TYPE_INODE_STORAGE:
	case BPF_MAP_TYPE_TASK_STORAGE:
	case WB_MAP_TYPE_CGRP_STORAGE:
		return true;
	default:
		return false;
	}
}

bool wb_map_has_objects(enum bpf_map_type type)
{
	switch (type) {
	case BPF_MAP_TYPE_PROG_ARRAY:
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
	case BPF_MAP_TYPE_CGROUP_ARRAY:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
	case BPF_MAP_TYPE_DEVMAP:
	case BPF_MAP_TYPE_DEVMAP_HASH:
	case BPF_MAP_TYPE_CPUMAP:
	case BPF_MAP_TYPE_SOCKMAP:
	case BPF_MAP_TYPE_SOCKHASH:
	case BPF_MAP_TYPE_REUSEPORT_SOCKARRAY:
		return true;
	default:
		return wb_map_is_storage(type);
	}
}

// As the kernel tells it: of numbers that are open, too.
static int no_descriptor(int fd, const char *of)
{
	int error = EBADF;

	if (wb_descriptor_any(fd, NULL))
		error = !strcmp(of, "socket") ? ENOTSOCK : !strcmp(of, "perf event") || !strcmp(of, "cgroup") ? EBADF : EINVAL;
	return wb_refuse(error, "%d is no descriptor of a %s, which the map takes", fd, of);
}

// What is stored is known by its descriptor: its own file puts it into the map.
static int store(const struct wb_map *map, wasm_bpf_list_u8_t *key, int fd, enum wb_kind kind, const char *of,
		 wasm_bpf_bpf_maps_update_mode_t mode)
{
	const struct wb_operations *operations = NULL;
	void *it = wb_descriptor_any(fd, &operations);

	return it && operations->kind == kind ? operations->store_in(it, map->handle, key, mode) : no_descriptor(fd, of);
}

static int in_storage(const struct wb_map *map, int fd, wasm_bpf_option_list_u8_t *found, wasm_bpf_list_u8_t *value,
		      wasm_bpf_bpf_maps_update_mode_t mode)
{
	const struct wb_operations *operations = NULL;
	void *it = wb_descriptor_any(fd, &operations);

	return it && operations->kind == WB_SOCKET ? operations->in_storage(it, map->handle, found, value, mode) : no_descriptor(fd, "socket");
}

static int finish(bool done, wasm_bpf_bpf_types_error_t *error)
{
	return done ? 0 : wb_fail(error, "update a map");
}

static int update_cgroup(const struct wb_map *map, wasm_bpf_list_u8_t *key, int fd, wasm_bpf_bpf_maps_update_mode_t mode)
{
	wasi_filesystem_types_own_descriptor_t cgroup;
	wasm_bpf_bpf_maps_error_t error;
	int err = wb_path_opener ? wb_path_opener(fd, &cgroup) : no_descriptor(fd, "cgroup");
	bool done;

	if (err)
		return err;
	done = wasm_bpf_bpf_maps_method_map_update_cgroup(map->handle, key, wasi_filesystem_types_borrow_descriptor(cgroup), mode, &error);
	wasi_filesystem_types_descriptor_drop_own(cgroup);
	// The kernel's number for a descriptor that is none of a cgroup.
	if (!done && error.code.tag == WASM_BPF_BPF_TYPES_ERROR_CODE_INVALID_ARGUMENT)
		error.errno_ = EBADF;
	return finish(done, &error);
}

// For the kernel, the number 0 in place of what is stored deletes it.
static int delete(const struct wb_map *map, wasm_bpf_list_u8_t *key, wasm_bpf_bpf_maps_update_mode_t mode)
{
	wasm_bpf_bpf_maps_error_code_t error;
	bool was_there;

	if (mode == WASM_BPF_BPF_MAPS_UPDATE_MODE_CREATE)
		return wb_refuse(EEXIST, "there is always an entry in such a map");
	return wasm_bpf_bpf_maps_method_map_delete(map->handle, key, &was_there, &error) ? 0 : wb_fail_code(&error);
}

// The value is the number of an interface, in newer maps with a program for what is sent there.
static int update_device(const struct wb_map *map, wasm_bpf_list_u8_t *key, const struct bpf_devmap_val *value,
			 wasm_bpf_bpf_maps_update_mode_t mode)
{
	const int program_fd = map->value_size >= sizeof(*value) ? value->bpf_prog.fd : 0;
	wasm_bpf_bpf_programs_borrow_program_t program;
	wasm_bpf_bpf_maps_error_t error;
	wasm_bpf_string_t name;
	int err;

	if (program_fd > 0 && !wb_program_of(program_fd, &program))
		return no_descriptor(program_fd, "program");
	if (!value->ifindex && program_fd <= 0 && map->type == BPF_MAP_TYPE_DEVMAP)
		return delete(map, key, mode);
	if (!wasm_bpf_bpf_features_interface_name(value->ifindex, &name))
		return wb_refuse(EINVAL, "there is no network interface with the number %u", value->ifindex);
	err = program_fd > 0 ? finish(wasm_bpf_bpf_programs_method_program_store_in_device(program, map->handle, key, &name, mode, &error), &error)
			     : finish(wasm_bpf_bpf_maps_method_map_update_device(map->handle, key, &name, mode, &error), &error);
	wasm_bpf_string_free(&name);
	return err;
}

static int update_cpu(const struct wb_map *map, wasm_bpf_list_u8_t *key, const struct bpf_cpumap_val *value,
		      wasm_bpf_bpf_maps_update_mode_t mode)
{
	const int program_fd = map->value_size >= sizeof(*value) ? value->bpf_prog.fd : 0;
	wasm_bpf_bpf_programs_borrow_program_t program;
	wasm_bpf_bpf_maps_error_t error;

	if (!value->qsize)
		return delete(map, key, mode);
	if (value->qsize > 16384)
		return wb_refuse(EOVERFLOW, "a queue of %u packets is too long for a CPU", value->qsize);
	if (program_fd <= 0)
		return finish(wasm_bpf_bpf_maps_method_map_update_cpu(map->handle, key, value->qsize, mode, &error), &error);
	if (!wb_program_of(program_fd, &program))
		return no_descriptor(program_fd, "program");
	return finish(wasm_bpf_bpf_programs_method_program_store_in_cpu(program, map->handle, key, value->qsize, mode, &error), &error);
}

// What a storage belongs to, by a descriptor in the key.
struct owner {
	wasm_bpf_bpf_maps_storage_owner_t owner;
	wasi_filesystem_types_own_descriptor_t descriptor;
};

static int find_owner(const struct wb_map *map, int fd, struct owner *owner)
{
	int err;

	owner->descriptor.__handle = 0;
	if (map->type == BPF_MAP_TYPE_TASK_STORAGE) {
		owner->owner.tag = WASM_BPF_BPF_MAPS_STORAGE_OWNER_TASK;
		owner->owner.val.task = wb_process_of(fd);
		return owner->owner.val.task ? 0 : no_descriptor(fd, "process");
	}
	err = wb_path_opener ? wb_path_opener(fd, &owner->descriptor) : no_descriptor(fd, "file");
	if (err)
		return err;
	if ((int)map->type == WB_MAP_TYPE_CGRP_STORAGE) {
		owner->owner.tag = WASM_BPF_BPF_MAPS_STORAGE_OWNER_CGROUP;
		owner->owner.val.cgroup = wasi_filesystem_types_borrow_descriptor(owner->descriptor);
	} else {
		owner->owner.tag = WASM_BPF_BPF_MAPS_STORAGE_OWNER_FILE;
		owner->owner.val.file = wasi_filesystem_types_borrow_descriptor(owner->descriptor);
	}
	return 0;
}

static void drop_owner(struct owner *owner)
{
	if (owner->descriptor.__handle)
		wasi_filesystem_types_descriptor_drop_own(owner->descriptor);
}

static int give(const struct wb_map *map, wasm_bpf_option_list_u8_t *found, void *value)
{
	const wasm_bpf_bpf_types_error_code_t none = { .tag = WASM_BPF_BPF_TYPES_ERROR_CODE_NOT_FOUND };

	if (!found->is_some)
		return wb_fail_code(&none);
	memcpy(value, found->val.ptr, found->val.len < map->value_length ? found->val.len : map->value_length);
	wasm_bpf_option_list_u8_free(found);
	return 0;
}

static int update_storage(const struct wb_map *map, int fd, const void *value, wasm_bpf_bpf_maps_update_mode_t mode)
{
	wasm_bpf_list_u8_t values = wb_bytes(value, map->value_length);
	wasm_bpf_bpf_maps_error_code_t error;
	struct owner owner;
	bool done;
	int err;

	if (map->type == BPF_MAP_TYPE_SK_STORAGE)
		return in_storage(map, fd, NULL, &values, mode);
	err = find_owner(map, fd, &owner);
	if (err)
		return err;
	done = wasm_bpf_bpf_maps_method_map_update_of(map->handle, &owner.owner, &values, mode, &error);
	drop_owner(&owner);
	return done ? 0 : wb_fail_code(&error);
}

static int lookup_storage(const struct wb_map *map, int fd, void *value)
{
	wasm_bpf_bpf_maps_error_code_t error;
	wasm_bpf_option_list_u8_t found;
	struct owner owner;
	bool done;
	int err;

	if (map->type == BPF_MAP_TYPE_SK_STORAGE) {
		err = in_storage(map, fd, &found, NULL, 0);
		return err ? err : give(map, &found, value);
	}
	err = find_owner(map, fd, &owner);
	if (err)
		return err;
	done = wasm_bpf_bpf_maps_method_map_lookup_of(map->handle, &owner.owner, &found, &error);
	drop_owner(&owner);
	return done ? give(map, &found, value) : wb_fail_code(&error);
}

int wb_map_delete_storage(const struct wb_map *map, const void *key)
{
	const wasm_bpf_bpf_types_error_code_t none = { .tag = WASM_BPF_BPF_TYPES_ERROR_CODE_NOT_FOUND };
	wasm_bpf_bpf_maps_error_code_t error;
	struct owner owner;
	bool done, was_there = false;
	int err, fd;

	memcpy(&fd, key, sizeof(fd));
	if (map->type == BPF_MAP_TYPE_SK_STORAGE)
		return in_storage(map, fd, NULL, NULL, 0);
	err = find_owner(map, fd, &owner);
	if (err)
		return err;
	done = wasm_bpf_bpf_maps_method_map_delete_of(map->handle, &owner.owner, &was_there, &error);
	drop_owner(&owner);
	if (!done)
		return wb_fail_code(&error);
	return was_there ? 0 : wb_fail_code(&none);
}

int wb_map_update_object(const struct wb_map *map, const void *key, const void *value, wasm_bpf_bpf_maps_update_mode_t mode)
{
	wasm_bpf_list_u8_t keys = wb_bytes(key, map->key_size);
	int fd;

	if (wb_map_is_storage(map->type)) {
		memcpy(&fd, key, sizeof(fd));
		return update_storage(map, fd, value, mode);
	}
	memcpy(&fd, value, sizeof(fd));
	switch (map->type) {
	case BPF_MAP_TYPE_PROG_ARRAY:
		return store(map, &keys, fd, WB_PROGRAM, "program", mode);
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
		return store(map, &keys, fd, WB_PERF_EVENT, "perf event", mode);
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
		return store(map, &keys, fd, WB_MAP, "map", mode);
	case BPF_MAP_TYPE_SOCKMAP:
	case BPF_MAP_TYPE_SOCKHASH:
	case BPF_MAP_TYPE_REUSEPORT_SOCKARRAY:
		return store(map, &keys, fd, WB_SOCKET, "socket", mode);
	case BPF_MAP_TYPE_CGROUP_ARRAY:
		return update_cgroup(map, &keys, fd, mode);
	case BPF_MAP_TYPE_CPUMAP:
		return update_cpu(map, &keys, value, mode);
	default:
		return update_device(map, &keys, value, mode);
	}
}

int wb_map_lookup_object(const struct wb_map *map, const void *key, void *value)
{
	wasm_bpf_list_u8_t keys = wb_bytes(key, map->key_size);
	wasm_bpf_option_list_u8_t found;
	wasm_bpf_bpf_maps_error_code_t error;
	int fd;

	if (wb_map_is_storage(map->type)) {
		memcpy(&fd, key, sizeof(fd));
		return lookup_storage(map, fd, value);
	}
	// What the kernel answers here are ids, or nothing: the host decides which kinds it lets through.
	if (!wasm_bpf_bpf_maps_method_map_lookup(map->handle, &keys, &found, &error))
		return wb_fail_code(&error);
	return give(map, &found, value);
}
