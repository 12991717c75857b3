// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "../globals.h"
#include "btf.h"

struct btf *btf__load_from_kernel_by_id_split(__u32 id, struct btf *base)
{
	wasm_bpf_bpf_query_own_btf_t types;
	wasm_bpf_bpf_query_error_t error;

	WB_CALL;
	if (!wasm_bpf_bpf_query_open_btf(id, &types, &error))
		return wb_null(wb_fail(&error, "open types by their id"));
	return wb_btf_read(types, base);
}

struct btf *btf__load_from_kernel_by_id(__u32 id)
{
	return btf__load_from_kernel_by_id_split(id, NULL);
}
