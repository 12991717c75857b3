// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What bpftool's skeletons call. Their arrays have elements of the size that their maker knew.
#include <stdlib.h>
#include <string.h>

#include "errors.h"
#include "globals.h"
#include "object.h"
#include "options.h"
#include "skeleton.h"

static struct bpf_map_skeleton *map_at(void *maps, int size, int index)
{
	return (struct bpf_map_skeleton *)((char *)maps + (size_t)index * size);
}

static struct bpf_prog_skeleton *program_at(void *programs, int size, int index)
{
	return (struct bpf_prog_skeleton *)((char *)programs + (size_t)index * size);
}

// The link of a map is newer than its other fields.
static struct bpf_link **link_of(const struct bpf_object_skeleton *s, const struct bpf_map_skeleton *map)
{
	return (size_t)s->map_skel_sz >= offsetof(struct bpf_map_skeleton, link) + sizeof(map->link) ? map->link : NULL;
}

int wb_skeleton_maps(const struct bpf_object *object, void *maps, int size, int count)
{
	for (int i = 0; i < count; i++) {
		struct bpf_map_skeleton *found = map_at(maps, size, i);
		struct bpf_map *map = bpf_object__find_map_by_name(object, found->name);

		if (!map)
			return wb_refuse(ESRCH, "the skeleton has a map '%s', the object '%s' has none", found->name, object->name);
		*found->map = map;
		// What .kconfig has is known after load only.
		if (found->mmaped && map->global_data && strcmp(map->declared, ".kconfig"))
			*found->mmaped = map->initial_value;
	}
	return 0;
}

int wb_skeleton_programs(const struct bpf_object *object, void *programs, int size, int count)
{
	for (int i = 0; i < count; i++) {
		struct bpf_prog_skeleton *found = program_at(programs, size, i);
		struct bpf_program *program = bpf_object__find_program_by_name(object, found->name);

		if (!program)
			return wb_refuse(ESRCH, "the skeleton has a program '%s', the object '%s' has none", found->name, object->name);
		*found->prog = program;
	}
	return 0;
}

int bpf_object__open_skeleton(struct bpf_object_skeleton *s, const struct bpf_object_open_opts *opts)
{
	struct bpf_object_open_opts named = { .sz = sizeof(named) };
	struct bpf_object *object;
	int err;

	if (!WB_OPTIONS_VALID(opts, bpf_object_open_opts))
		return -errno;
	// The options of the caller, and the skeleton's name unless they have one.
	if (opts)
		memcpy(&named, opts, opts->sz < sizeof(named) ? opts->sz : sizeof(named));
	named.sz = sizeof(named);
	if (!named.object_name)
		named.object_name = s->name;
	object = bpf_object__open_mem(s->data, s->data_sz, &named);
	if (!object)
		return -errno;
	*s->obj = object;
	err = wb_skeleton_maps(object, s->maps, s->map_skel_sz, s->map_cnt);
	return err ? err : wb_skeleton_programs(object, s->progs, s->prog_skel_sz, s->prog_cnt);
}

int bpf_object__load_skeleton(struct bpf_object_skeleton *s)
{
	int err = bpf_object__load(*s->obj);

	if (err) {
		wb_warn("failed to load the skeleton '%s': %s", s->name, strerror(-err));
		errno = -err;
		return err;
	}
	// Global data stays where it was; what cannot be mapped is gone.
	for (int i = 0; i < s->map_cnt; i++) {
		struct bpf_map_skeleton *found = map_at(s->maps, s->map_skel_sz, i);

		if (found->mmaped && (*found->map)->global_data)
			*found->mmaped = (*found->map)->initial_value;
	}
	return 0;
}

static int attach_programs(struct bpf_object_skeleton *s)
{
	for (int i = 0; i < s->prog_cnt; i++) {
		struct bpf_prog_skeleton *found = program_at(s->progs, s->prog_skel_sz, i);
		struct bpf_program *program = *found->prog;
		int err;

		if (!program->autoload || !program->autoattach || !found->link || *found->link)
			continue;
		// A section that does not say what to attach to is no failure: the program does it by itself.
		err = wb_attach_by_section(program, found->link);
		if (!err)
			continue;
		wb_warn("failed to attach program '%s': %s", program->name, strerror(-err));
		errno = -err;
		return err;
	}
	return 0;
}

static int attach_maps(struct bpf_object_skeleton *s)
{
	for (int i = 0; i < s->map_cnt; i++) {
		struct bpf_map_skeleton *found = map_at(s->maps, s->map_skel_sz, i);
		struct bpf_link **link = link_of(s, found);
		struct bpf_map *map = *found->map;
		int err;

		if (map->type != BPF_MAP_TYPE_STRUCT_OPS || !map->autocreate || !map->autoattach)
			continue;
		if (!link) {
			wb_warn("map '%s' is not attached: the skeleton was made by a bpftool that knows no links of maps", map->name);
			continue;
		}
		if (*link)
			continue;
		*link = bpf_map__attach_struct_ops(map);
		if (!*link) {
			err = -errno;
			wb_warn("failed to attach map '%s': %s", map->name, strerror(-err));
			errno = -err;
			return err;
		}
	}
	return 0;
}

int bpf_object__attach_skeleton(struct bpf_object_skeleton *s)
{
	bool has_struct_ops = false;
	int err;

	WB_CALL;
	err = attach_programs(s);
	for (int i = 0; i < s->map_cnt; i++)
		has_struct_ops |= (*map_at(s->maps, s->map_skel_sz, i)->map)->type == BPF_MAP_TYPE_STRUCT_OPS;
	return err || !has_struct_ops ? err : attach_maps(s);
}

void bpf_object__detach_skeleton(struct bpf_object_skeleton *s)
{
	WB_CALL;
	for (int i = 0; i < s->prog_cnt; i++) {
		struct bpf_link **link = program_at(s->progs, s->prog_skel_sz, i)->link;

		if (link) {
			bpf_link__destroy(*link);
			*link = NULL;
		}
	}
	for (int i = 0; i < s->map_cnt; i++) {
		struct bpf_link **link = link_of(s, map_at(s->maps, s->map_skel_sz, i));

		if (link) {
			bpf_link__destroy(*link);
			*link = NULL;
		}
	}
}

void bpf_object__destroy_skeleton(struct bpf_object_skeleton *s)
{
	if (!s)
		return;
	bpf_object__detach_skeleton(s);
	if (s->obj)
		bpf_object__close(*s->obj);
	free(s->maps);
	free(s->progs);
	free(s);
}
