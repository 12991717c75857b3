// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <bpf/bpf.h>

#include "descriptors.h"
#include "errors.h"
#include "globals.h"
#include "options.h"

int bpf_link_detach(int link_fd)
{
	WB_CALL;
	wasm_bpf_bpf_links_borrow_link_t link;
	wasm_bpf_bpf_types_error_t error;

	if (!wb_link_of(link_fd, &link))
		return -errno;
	return wasm_bpf_bpf_links_method_link_detach(link, &error) ? 0 : wb_fail(&error, "detach a link");
}

static int update_map(wasm_bpf_bpf_links_borrow_link_t link, wasm_bpf_bpf_maps_borrow_map_t map)
{
	wasm_bpf_bpf_types_error_t error;

	return wasm_bpf_bpf_links_method_link_update_map(link, map, &error) ? 0 : wb_fail(&error, "update the map of a link");
}

int bpf_link_update(int link_fd, int new_prog_fd, const struct bpf_link_update_opts *opts)
{
	WB_CALL;
	uint32_t flags = WB_OPTION(opts, flags, 0);
	int old_fd = WB_OPTION(opts, old_prog_fd, 0);
	const struct wb_operations *operations;
	wasm_bpf_bpf_links_borrow_link_t link;
	wasm_bpf_bpf_maps_borrow_map_t map;
	wasm_bpf_bpf_programs_borrow_program_t program, old;
	wasm_bpf_bpf_types_error_t error;

	if (!WB_OPTIONS_VALID(opts, bpf_link_update_opts))
		return -EINVAL;
	if (WB_OPTION(opts, old_map_fd, 0))
		return wb_refuse(ENOTSUP, "the host does not compare the map of a link before it updates it");
	if (flags & ~BPF_F_REPLACE || !flags != !old_fd)
		return wb_refuse(EINVAL, "the old program of a link goes with BPF_F_REPLACE, and no other flag is known");
	if (!wb_link_of(link_fd, &link))
		return -errno;
	// Operations of struct_ops are in a map.
	if (wb_descriptor_any(new_prog_fd, &operations) && operations->kind == WB_MAP) {
		if (flags)
			return wb_refuse(EINVAL, "a map does not take the place of a program");
		return wb_map_of(new_prog_fd, &map) ? update_map(link, map) : -errno;
	}
	if (!wb_program_of(new_prog_fd, &program) || (old_fd && !wb_program_of(old_fd, &old)))
		return -errno;
	return wasm_bpf_bpf_programs_method_program_replace_in(program, link, old_fd ? &old : NULL, &error) ? 0
		: wb_fail(&error, "update the program of a link");
}
