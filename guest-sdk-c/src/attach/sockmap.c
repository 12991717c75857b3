// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "../descriptors.h"
#include "attach.h"

int wb_attach_sockmap(struct wb_attaching *it, int map_fd)
{
	wasm_bpf_bpf_types_error_t error;
	wasm_bpf_bpf_maps_borrow_map_t map;
	uint32_t type = it->type;

	if (!wb_map_of(map_fd, &map))
		return wb_refuse(errno, "program '%s': %d is no map", it->name, map_fd);
	return wb_attached(it, wasm_bpf_bpf_programs_method_program_attach_sockmap(it->program, map, &type, &it->link, &error), &error);
}

struct bpf_link *bpf_program__attach_sockmap(const struct bpf_program *prog, int map_fd)
{
	WB_CALL;
	struct wb_attaching it;

	if (!wb_attaching(&it, prog))
		return NULL;
	return wb_attach_link(&it, wb_attach_sockmap(&it, map_fd));
}
