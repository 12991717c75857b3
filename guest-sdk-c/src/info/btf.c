// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Descriptors of types that are in the kernel, and what is known of them.
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "../descriptors.h"
#include "../errors.h"
#include "../globals.h"
#include "../options.h"
#include "give.h"

struct types {
	wasm_bpf_bpf_btf_own_btf_t handle;
	wasm_bpf_bpf_query_found_btf_t found;
};

static void release(void *it)
{
	struct types *types = it;

	wasm_bpf_bpf_btf_btf_drop_own(types->handle);
	wasm_bpf_bpf_query_found_btf_free(&types->found);
	free(types);
}

static const struct wb_operations operations = { .kind = WB_BTF, .release = release };

// What the kernel's list says of it.
static int find(__u32 id, wasm_bpf_bpf_query_found_btf_t *found)
{
	wasm_bpf_bpf_query_list_found_btf_t list;
	wasm_bpf_bpf_query_error_t error;
	bool is_there;

	if (!wasm_bpf_bpf_query_btfs(id - 1, 1, &list, &error))
		return wb_fail(&error, "find types by their id");
	is_there = list.len && list.ptr[0].id == id;
	if (is_there) {
		*found = list.ptr[0];
		list.len = 0;
	}
	wasm_bpf_bpf_query_list_found_btf_free(&list);
	return is_there ? 0 : wb_refuse(ENOENT, "the kernel has no types with the id %u", id);
}

int bpf_btf_get_fd_by_id_opts(__u32 id, const struct bpf_get_fd_by_id_opts *opts)
{
	wasm_bpf_bpf_query_error_t error;
	struct types *types;
	int err;

	if (!WB_OPTIONS_VALID(opts, bpf_get_fd_by_id_opts))
		return -EINVAL;
	if (WB_OPTION(opts, open_flags, 0))
		return wb_refuse(EINVAL, "types are opened without flags");
	if (WB_OPTION(opts, token_fd, 0))
		return wb_refuse(EOPNOTSUPP, "a guest has no BPF tokens");
	if (!id)
		return wb_refuse(ENOENT, "the kernel has no types with the id 0");
	types = calloc(1, sizeof(*types));
	if (!types) {
		errno = ENOMEM;
		return -ENOMEM;
	}
	WB_CALL;
	err = find(id, &types->found);
	if (!err && !wasm_bpf_bpf_query_open_btf(id, &types->handle, &error)) {
		wasm_bpf_bpf_query_found_btf_free(&types->found);
		err = wb_fail(&error, "open types by their id");
	}
	if (err) {
		free(types);
		return err;
	}
	return wb_descriptor_new(&operations, types);
}

int bpf_btf_get_fd_by_id(__u32 id)
{
	return bpf_btf_get_fd_by_id_opts(id, NULL);
}

static int give_data(wasm_bpf_bpf_btf_borrow_btf_t handle, unsigned char *to, uint32_t wanted)
{
	for (uint32_t at = 0; at < wanted;) {
		wasm_bpf_list_u8_t part;

		wasm_bpf_bpf_btf_method_btf_raw_data(handle, at, wanted - at, &part);
		if (!part.len)
			return wb_refuse(EIO, "of %u bytes of types %u came from the host", wanted, at);
		memcpy(to + at, part.ptr, part.len);
		at += part.len;
		wasm_bpf_list_u8_free(&part);
	}
	return 0;
}

int bpf_btf_get_info_by_fd(int fd, struct bpf_btf_info *info, __u32 *length)
{
	const struct types *types = wb_descriptor_get(fd, WB_BTF);
	struct bpf_btf_info asked = {}, known = {};
	wasm_bpf_bpf_btf_borrow_btf_t handle;
	int err;

	if (!types)
		return wb_refuse(EBADF, "%d is no descriptor of types", fd);
	memcpy(&asked, info, *length < sizeof(asked) ? *length : sizeof(asked));
	WB_CALL;
	handle = wasm_bpf_bpf_btf_borrow_btf(types->handle);
	known.btf = asked.btf;
	known.btf_size = wasm_bpf_bpf_btf_method_btf_raw_size(handle);
	known.id = types->found.id;
	known.name = asked.name;
	known.name_len = types->found.name.len;
	known.kernel_btf = types->found.of_kernel;
	err = wb_give_text(asked.name, asked.name_len, &types->found.name);
	if (!err && asked.btf)
		err = give_data(handle, (unsigned char *)(uintptr_t)asked.btf,
				asked.btf_size < known.btf_size ? asked.btf_size : known.btf_size);
	return err ? err : wb_give(info, length, &known, sizeof(known));
}
