// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Skeletons of a part of an object: a library's, in the object of the program that it was linked into.
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "errors.h"
#include "object.h"
#include "skeleton.h"

static int find_variable(const struct bpf_object *object, const struct btf *btf, const struct bpf_var_skeleton *wanted)
{
	const struct bpf_map *map = *wanted->map;
	const struct btf_type *section = btf__type_by_id(btf, bpf_map__btf_value_type_id(map));
	const struct btf_var_secinfo *variables;

	if (!section || !btf_is_datasec(section))
		return wb_refuse(EINVAL, "map '%s' of object '%s' has no variables", map->name, object->name);
	variables = btf_var_secinfos(section);
	for (int i = 0; i < btf_vlen(section); i++) {
		const struct btf_type *variable = btf__type_by_id(btf, variables[i].type);

		if (!variable || strcmp(btf__name_by_offset(btf, variable->name_off), wanted->name))
			continue;
		*wanted->addr = map->initial_value ? (char *)map->initial_value + variables[i].offset : NULL;
		return 0;
	}
	// As libbpf does: the pointer stays what it is.
	return 0;
}

int bpf_object__open_subskeleton(struct bpf_object_subskeleton *s)
{
	const struct btf *btf;
	int err;

	if (!s->obj)
		return wb_refuse(EINVAL, "the skeleton of a part has no object");
	btf = bpf_object__btf(s->obj);
	if (!btf)
		return wb_refuse(errno ? errno : ENOENT, "object '%s' has no types, which the skeleton of a part needs", s->obj->name);
	err = wb_skeleton_maps(s->obj, s->maps, s->map_skel_sz, s->map_cnt);
	if (!err)
		err = wb_skeleton_programs(s->obj, s->progs, s->prog_skel_sz, s->prog_cnt);
	for (int i = 0; !err && i < s->var_cnt; i++)
		err = find_variable(s->obj, btf, (struct bpf_var_skeleton *)((char *)s->vars + (size_t)i * s->var_skel_sz));
	return err;
}

void bpf_object__destroy_subskeleton(struct bpf_object_subskeleton *s)
{
	if (!s)
		return;
	free(s->maps);
	free(s->progs);
	free(s->vars);
	free(s);
}
