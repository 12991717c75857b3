// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pins by descriptor. What is pinned at a path is found out by asking for each kind.
#include <bpf/bpf.h>

#include "descriptors.h"
#include "errors.h"
#include "globals.h"
#include "object.h"
#include "options.h"

int bpf_obj_pin_opts(int fd, const char *path, const struct bpf_obj_pin_opts *opts)
{
	const struct wb_operations *operations = NULL;
	wasm_bpf_bpf_programs_borrow_program_t program;
	wasm_bpf_bpf_links_borrow_link_t link;
	wasm_bpf_bpf_maps_borrow_map_t map;
	wasm_bpf_bpf_types_error_t error;
	wasm_bpf_string_t text;
	bool ok;

	if (!WB_OPTIONS_VALID(opts, bpf_obj_pin_opts))
		return -EINVAL;
	if (WB_OPTION(opts, file_flags, 0))
		return wb_refuse(EINVAL, "a pin has no flags and is not relative to a descriptor");
	if (!path)
		return wb_refuse(EINVAL, "no path to pin at");
	text = wb_string(path);
	wb_descriptor_any(fd, &operations);
	WB_CALL;
	switch (operations ? operations->kind : WB_FREE) {
	case WB_MAP:
		wb_map_of(fd, &map);
		ok = wasm_bpf_bpf_maps_method_map_pin(map, &text, &error);
		break;
	case WB_PROGRAM:
		wb_program_of(fd, &program);
		ok = wasm_bpf_bpf_programs_method_program_pin(program, &text, &error);
		break;
	case WB_LINK:
		wb_link_of(fd, &link);
		ok = wasm_bpf_bpf_links_method_link_pin(link, &text, &error);
		break;
	default:
		return wb_refuse(EBADF, "%d is no descriptor of a map, a program or a link", fd);
	}
	return ok ? 0 : wb_fail(&error, "pin");
}

int bpf_obj_pin(int fd, const char *path)
{
	return bpf_obj_pin_opts(fd, path, NULL);
}

// Whether the answer says that something else is pinned there.
static bool is_of_another_kind(const wasm_bpf_bpf_types_error_t *error)
{
	return error->code.tag == WASM_BPF_BPF_TYPES_ERROR_CODE_INVALID_ARGUMENT;
}

int bpf_obj_get_opts(const char *path, const struct bpf_obj_get_opts *opts)
{
	wasm_bpf_bpf_programs_own_program_t program;
	wasm_bpf_bpf_types_error_t error;
	wasm_bpf_bpf_links_own_link_t link;
	wasm_bpf_bpf_maps_own_map_t map;
	wasm_bpf_string_t text;

	if (!WB_OPTIONS_VALID(opts, bpf_obj_get_opts))
		return -EINVAL;
	if (WB_OPTION(opts, file_flags, 0))
		return wb_refuse(EINVAL, "what is pinned is opened without flags");
	if (!path)
		return wb_refuse(EINVAL, "no path of a pin");
	text = wb_string(path);
	WB_CALL;
	if (wasm_bpf_bpf_maps_static_map_open_pinned(&text, &map, &error))
		return wb_map_descriptor(map);
	if (!is_of_another_kind(&error))
		return wb_fail(&error, "open what is pinned");
	wasm_bpf_bpf_types_error_free(&error);
	if (wasm_bpf_bpf_programs_static_program_open_pinned(&text, &program, &error))
		return wb_program_descriptor(program);
	if (!is_of_another_kind(&error))
		return wb_fail(&error, "open what is pinned");
	wasm_bpf_bpf_types_error_free(&error);
	if (wasm_bpf_bpf_links_static_link_open_pinned(&text, &link, &error))
		return wb_link_descriptor(link);
	return wb_fail(&error, "open what is pinned");
}

int bpf_obj_get(const char *path)
{
	return bpf_obj_get_opts(path, NULL);
}
