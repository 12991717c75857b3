// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The types of keys and values, which the definition of a map names: as members of its variable in the section of maps. Global data has
// its section.
#include <string.h>

#include <bpf/btf.h>

#include "object.h"

static const struct btf_type *without_modifiers(const struct btf *btf, __u32 id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	while (type && (btf_is_mod(type) || btf_is_typedef(type)))
		type = btf__type_by_id(btf, type->type);
	return type;
}

// The definition of a map of this name: a struct.
static const struct btf_type *definition(const struct btf *btf, const char *name)
{
	int id = btf__find_by_name_kind(btf, ".maps", BTF_KIND_DATASEC);
	const struct btf_type *section = id < 0 ? NULL : btf__type_by_id(btf, id);
	const struct btf_var_secinfo *variables = section ? btf_var_secinfos(section) : NULL;

	for (int i = 0; section && i < btf_vlen(section); i++) {
		const struct btf_type *variable = btf__type_by_id(btf, variables[i].type);
		const struct btf_type *type;

		if (!variable || strcmp(btf__name_by_offset(btf, variable->name_off), name))
			continue;
		type = without_modifiers(btf, variable->type);
		return type && btf_is_struct(type) ? type : NULL;
	}
	return NULL;
}

// Of `__type(key, T)` a pointer to T is left.
static __u32 named_type(const struct bpf_map *map, const char *what)
{
	const struct btf *btf = bpf_object__btf(map->object);
	const struct btf_type *type = btf && map->declared ? definition(btf, map->declared) : NULL;
	const struct btf_member *members = type ? btf_members(type) : NULL;

	for (int i = 0; type && i < btf_vlen(type); i++) {
		const struct btf_type *pointer;

		if (strcmp(btf__name_by_offset(btf, members[i].name_off), what))
			continue;
		pointer = btf__type_by_id(btf, members[i].type);
		return pointer && btf_is_ptr(pointer) ? pointer->type : 0;
	}
	return 0;
}

__u32 bpf_map__btf_key_type_id(const struct bpf_map *map)
{
	return map->global_data ? 0 : named_type(map, "key");
}

__u32 bpf_map__btf_value_type_id(const struct bpf_map *map)
{
	const struct btf *btf;
	int id;

	if (!map->global_data)
		return named_type(map, "value");
	btf = bpf_object__btf(map->object);
	id = btf ? btf__find_by_name_kind(btf, map->declared, BTF_KIND_DATASEC) : -1;
	return id < 0 ? 0 : id;
}
