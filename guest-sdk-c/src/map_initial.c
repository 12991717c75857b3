// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <stdlib.h>
#include <string.h>

#include "elf_file.h"
#include "errors.h"
#include "object.h"

// Operations as the object has them. Those that are functions are empty: which programs they are is in relocations.
static void take_operations(struct bpf_map *map)
{
	const void *declared;
	size_t size;

	declared = wb_elf_symbol(map->object->elf, map->object->elf_size, map->declared, &size);
	if (!declared)
		return;
	map->initial_value = malloc(size);
	if (!map->initial_value)
		return;
	memcpy(map->initial_value, declared, size);
	map->initial_size = size;
	map->declared_operations = declared;
}

void *bpf_map__initial_value(const struct bpf_map *map, size_t *size)
{
	if (map->type == BPF_MAP_TYPE_STRUCT_OPS && !map->initial_value)
		take_operations((struct bpf_map *)map);
	if (size && map->initial_value)
		*size = map->initial_size;
	return map->initial_value;
}
