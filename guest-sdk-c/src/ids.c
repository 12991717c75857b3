// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Ids of all that is in the kernel.
#include <bpf/bpf.h>

#include "descriptors.h"
#include "errors.h"
#include "globals.h"
#include "object.h"
#include "options.h"

// NAME of the function, what the interface calls them, where an entry of its list has the id.
#define NEXT_ID(NAME, PLURAL, LIST, ID) \
	int bpf_##NAME##_get_next_id(__u32 start, __u32 *next) \
	{ \
		wasm_bpf_bpf_query_list_##LIST##_t list; \
		wasm_bpf_bpf_query_error_t error; \
		bool some; \
\
		WB_CALL; \
		if (!wasm_bpf_bpf_query_##PLURAL(start, 1, &list, &error)) \
			return wb_fail(&error, "list what is in the kernel"); \
		some = list.len > 0; \
		if (some) \
			*next = list.ptr[0].ID; \
		wasm_bpf_bpf_query_list_##LIST##_free(&list); \
		if (!some) \
			errno = ENOENT; \
		return some ? 0 : -ENOENT; \
	}

NEXT_ID(prog, programs, program_info, id)
NEXT_ID(map, maps, found_map, info.id)
NEXT_ID(link, links, link_info, id)
NEXT_ID(btf, btfs, found_btf, id)

// Options of what is opened in one way alone.
static int check_options(const struct bpf_get_fd_by_id_opts *opts)
{
	if (!WB_OPTIONS_VALID(opts, bpf_get_fd_by_id_opts))
		return -EINVAL;
	if (WB_OPTION(opts, token_fd, 0))
		return wb_refuse(EOPNOTSUPP, "a guest has no BPF tokens");
	return WB_OPTION(opts, open_flags, 0) ? wb_refuse(EINVAL, "programs and links are opened without flags") : 0;
}

int bpf_prog_get_fd_by_id_opts(__u32 id, const struct bpf_get_fd_by_id_opts *opts)
{
	wasm_bpf_bpf_query_own_program_t program;
	wasm_bpf_bpf_query_error_t error;
	int err = check_options(opts);

	if (err)
		return err;
	WB_CALL;
	if (!wasm_bpf_bpf_query_open_program(id, &program, &error))
		return wb_fail(&error, "open a program by its id");
	return wb_program_descriptor(program);
}

int bpf_prog_get_fd_by_id(__u32 id)
{
	return bpf_prog_get_fd_by_id_opts(id, NULL);
}

int bpf_map_get_fd_by_id_opts(__u32 id, const struct bpf_get_fd_by_id_opts *opts)
{
	const __u32 flags = WB_OPTION(opts, open_flags, 0);
	wasm_bpf_bpf_query_error_t error;
	wasm_bpf_bpf_query_own_map_t map;
	bool ok;

	if (!WB_OPTIONS_VALID(opts, bpf_get_fd_by_id_opts))
		return -EINVAL;
	if (flags & ~BPF_F_RDONLY)
		return wb_refuse(EINVAL, "a map cannot be opened with the flags %#x", flags);
	if (WB_OPTION(opts, token_fd, 0))
		return wb_refuse(EOPNOTSUPP, "a guest has no BPF tokens");
	WB_CALL;
	ok = flags & BPF_F_RDONLY ? wasm_bpf_bpf_query_open_map(id, &map, &error) : wasm_bpf_bpf_query_open_map_to_change(id, &map, &error);
	return ok ? wb_map_descriptor(map) : wb_fail(&error, "open a map by its id");
}

int bpf_map_get_fd_by_id(__u32 id)
{
	return bpf_map_get_fd_by_id_opts(id, NULL);
}

int bpf_link_get_fd_by_id_opts(__u32 id, const struct bpf_get_fd_by_id_opts *opts)
{
	wasm_bpf_bpf_query_error_t error;
	wasm_bpf_bpf_query_own_link_t link;
	int err = check_options(opts);

	if (err)
		return err;
	WB_CALL;
	if (!wasm_bpf_bpf_query_open_link(id, &link, &error))
		return wb_fail(&error, "open a link by its id");
	return wb_link_descriptor(link);
}

int bpf_link_get_fd_by_id(__u32 id)
{
	return bpf_link_get_fd_by_id_opts(id, NULL);
}
