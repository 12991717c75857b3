// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Types that the host has: those of the kernel and of its modules.
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "../globals.h"
#include "../object.h"
#include "btf.h"

struct btf *wb_btf_read(wasm_bpf_bpf_btf_own_btf_t handle, struct btf *base)
{
	const wasm_bpf_bpf_btf_borrow_btf_t types = wasm_bpf_bpf_btf_borrow_btf(handle);
	const uint32_t size = wasm_bpf_bpf_btf_method_btf_raw_size(types);
	uint8_t *raw = malloc(size ? size : 1);
	uint32_t read = 0;

	while (raw && read < size) {
		wasm_bpf_list_u8_t part;

		wasm_bpf_bpf_btf_method_btf_raw_data(types, read, size - read, &part);
		if (!part.len) {
			free(raw);
			wasm_bpf_bpf_btf_btf_drop_own(handle);
			return wb_null(wb_refuse(EIO, "BTF: %u of %u bytes came from the host", read, size));
		}
		memcpy(raw + read, part.ptr, part.len);
		read += part.len;
		wasm_bpf_list_u8_free(&part);
	}
	wasm_bpf_bpf_btf_btf_drop_own(handle);
	return raw ? wb_btf_take(raw, size, base) : wb_null(-ENOMEM);
}

struct btf *wb_btf_of_kernel(const char *name, struct btf *base)
{
	wasm_bpf_bpf_btf_own_btf_t handle;
	wasm_bpf_bpf_btf_error_t error;
	wasm_bpf_string_t text;
	bool ok;

	WB_CALL;
	if (!strcmp(name, "vmlinux")) {
		ok = wasm_bpf_bpf_btf_static_btf_kernel(&handle, &error);
	} else {
		text = wb_string(name);
		ok = wasm_bpf_bpf_btf_static_btf_module(&text, &handle, &error);
	}
	if (!ok)
		return wb_null(wb_fail(&error, "read BTF of the kernel"));
	return wb_btf_read(handle, base);
}

struct btf *btf__load_vmlinux_btf(void)
{
	return wb_btf_of_kernel("vmlinux", NULL);
}

struct btf *btf__load_module_btf(const char *name, struct btf *vmlinux)
{
	if (!name)
		return wb_null(wb_refuse(EINVAL, "no name of a module"));
	return wb_btf_of_kernel(name, vmlinux);
}
