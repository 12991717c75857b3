// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <stdio.h>

#include "attach.h"

struct bpf_link *bpf_map__attach_struct_ops(const struct bpf_map *map)
{
	WB_CALL;
	wasm_bpf_bpf_maps_borrow_map_t handle;
	wasm_bpf_bpf_links_own_link_t link;
	wasm_bpf_bpf_types_error_t error;
	char doing[96];

	if (map->type != BPF_MAP_TYPE_STRUCT_OPS)
		return wb_null(wb_refuse(EINVAL, "map '%s': it has no operations to register", map->name));
	if (!wb_loaded_map(map, &handle))
		return NULL;
	if (wasm_bpf_bpf_links_attach_struct_ops(handle, &link, &error))
		return wb_link_new(link);
	snprintf(doing, sizeof(doing), "register map '%s'", map->name);
	return wb_null(wb_fail(&error, doing));
}
