// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pins of all maps and programs of an object. The path of each is a file of the folder, or the map's own.
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>

#include "errors.h"
#include "globals.h"
#include "object.h"

static char *path_in(const char *folder, const char *name, bool without_dots)
{
	char *path;

	if (asprintf(&path, "%s/%s", folder, name) < 0) {
		wb_no_memory();
		return NULL;
	}
	// A BPF file system takes no dots, as in the names of global data.
	for (char *letter = path; without_dots && *letter; letter++) {
		if (*letter == '.')
			*letter = '_';
	}
	return path;
}

static int check(const struct bpf_object *object, bool has_path)
{
	if (!object)
		return wb_refuse(ENOENT, "there is no object");
	return has_path ? 0 : wb_refuse(EINVAL, "no folder for the pins of object '%s' was given", object->name);
}

static int check_loaded(const struct bpf_object *object, bool has_path)
{
	int err = check(object, has_path);

	return err || object->object_handle.__handle ? err : wb_refuse(ENOENT, "object '%s' is not loaded; load it first", object->name);
}

// 0 also for maps that have nowhere to be pinned.
static int with_map(struct bpf_map *map, const char *folder, int (*call)(struct bpf_map *map, const char *path))
{
	char *path = NULL;
	int err;

	if (folder) {
		path = path_in(folder, map->name, true);
		if (!path)
			return -errno;
	} else if (!map->pin_path) {
		return 0;
	}
	err = call(map, path);
	free(path);
	return err;
}

int bpf_object__pin_maps(struct bpf_object *object, const char *folder)
{
	struct bpf_map *map;
	int err = check_loaded(object, true);

	if (err)
		return err;
	WB_CALL;
	bpf_object__for_each_map(map, object) {
		if (!map->autocreate)
			continue;
		err = with_map(map, folder, bpf_map__pin);
		if (!err)
			continue;
		while ((map = bpf_object__prev_map(object, map))) {
			if (map->pinned)
				bpf_map__unpin(map, NULL);
		}
		errno = -err;
		return err;
	}
	return 0;
}

int bpf_object__unpin_maps(struct bpf_object *object, const char *folder)
{
	struct bpf_map *map;
	int err = check(object, true);

	if (err)
		return err;
	WB_CALL;
	bpf_object__for_each_map(map, object) {
		err = with_map(map, folder, bpf_map__unpin);
		if (err)
			return err;
	}
	return 0;
}

static int with_program(struct bpf_program *program, const char *folder, int (*call)(struct bpf_program *program, const char *path))
{
	char *path = path_in(folder, program->name, false);
	int err;

	if (!path)
		return -errno;
	err = call(program, path);
	free(path);
	return err;
}

int bpf_object__pin_programs(struct bpf_object *object, const char *folder)
{
	struct bpf_program *program;
	int err = check_loaded(object, folder);

	if (err)
		return err;
	WB_CALL;
	bpf_object__for_each_program(program, object) {
		err = with_program(program, folder, bpf_program__pin);
		if (!err)
			continue;
		while ((program = bpf_object__prev_program(object, program)))
			with_program(program, folder, bpf_program__unpin);
		errno = -err;
		return err;
	}
	return 0;
}

int bpf_object__unpin_programs(struct bpf_object *object, const char *folder)
{
	struct bpf_program *program;
	int err = check(object, folder);

	if (err)
		return err;
	WB_CALL;
	bpf_object__for_each_program(program, object) {
		err = with_program(program, folder, bpf_program__unpin);
		if (err)
			return err;
	}
	return 0;
}

int bpf_object__pin(struct bpf_object *object, const char *folder)
{
	int err = bpf_object__pin_maps(object, folder);

	if (err)
		return err;
	err = bpf_object__pin_programs(object, folder);
	if (err) {
		bpf_object__unpin_maps(object, folder);
		errno = -err;
	}
	return err;
}

int bpf_object__unpin(struct bpf_object *object, const char *folder)
{
	int err = bpf_object__unpin_programs(object, folder);

	return err ? err : bpf_object__unpin_maps(object, folder);
}
