// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <bpf/bpf.h>

#include "../errors.h"
#include "../globals.h"
#include "../map_handle.h"
#include "give.h"

int bpf_map_get_info_by_fd(int fd, struct bpf_map_info *info, __u32 *length)
{
	const struct wb_map *map = wb_map_at(fd);
	wasm_bpf_bpf_maps_map_info_t told;
	struct bpf_map_info known = {};

	if (!map)
		return wb_refuse(EBADF, "%d is no descriptor of a map", fd);
	WB_CALL;
	wasm_bpf_bpf_maps_method_map_info(map->handle, &told);
	known.type = map->type;
	known.id = told.id;
	known.key_size = told.key_size;
	known.value_size = told.value_size;
	known.max_entries = told.max_entries;
	known.map_flags = told.flags;
	known.map_extra = told.extra;
	wb_give_name(known.name, &told.name);
	return wb_give(info, length, &known, sizeof(known));
}
