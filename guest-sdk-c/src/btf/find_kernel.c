// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <stdio.h>

#include <bpf/libbpf.h>

#include "../globals.h"
#include "../object.h"
#include "btf.h"

int libbpf_find_vmlinux_btf_id(const char *name, enum bpf_attach_type attach_type)
{
	wasm_bpf_bpf_btf_type_kind_t kind = { .tag = WASM_BPF_BPF_BTF_TYPE_KIND_FUNC };
	wasm_bpf_bpf_btf_own_btf_t types;
	wasm_bpf_bpf_btf_error_t error;
	wasm_bpf_string_t text;
	const char *prefix = "";
	char whole[256];
	uint32_t id;
	bool found;

	if (!name)
		return wb_refuse(EINVAL, "no name to find in the kernel");
	switch (attach_type) {
	case BPF_TRACE_RAW_TP:
		prefix = "btf_trace_";
		kind.tag = WASM_BPF_BPF_BTF_TYPE_KIND_TYPEDEF;
		break;
	case BPF_LSM_MAC:
	case BPF_LSM_CGROUP:
		prefix = "bpf_lsm_";
		break;
	case BPF_TRACE_ITER:
		prefix = "bpf_iter_";
		break;
	default:
		break;
	}
	if (snprintf(whole, sizeof(whole), "%s%s", prefix, name) >= (int)sizeof(whole))
		return wb_refuse(ENAMETOOLONG, "the kernel has no names as long as '%s'", name);
	text = wb_string(whole);
	WB_CALL;
	// One answer is all that is needed: the host looks for it.
	if (!wasm_bpf_bpf_btf_static_btf_kernel(&types, &error))
		return wb_fail(&error, "read BTF of the kernel");
	found = wasm_bpf_bpf_btf_method_btf_find(wasm_bpf_bpf_btf_borrow_btf(types), &text, &kind, &id);
	wasm_bpf_bpf_btf_btf_drop_own(types);
	return found ? (int)id : wb_refuse(ENOENT, "the types of the kernel have no '%s'", whole);
}
