// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "attach.h"

struct bpf_link *bpf_program__attach_uprobe_opts(const struct bpf_program *prog, pid_t pid, const char *binary_path, size_t func_offset,
						 const struct bpf_uprobe_opts *opts)
{
	WB_CALL;
	struct wb_attaching it;
	wasm_bpf_bpf_programs_own_probe_options_t options;
	wasm_bpf_bpf_programs_borrow_probe_options_t setting;
	wasi_filesystem_types_own_descriptor_t binary;
	wasm_bpf_bpf_types_error_t error;
	const char *name = WB_OPTION(opts, func_name, NULL);
	wasm_bpf_string_t function = wb_string(name);
	enum probe_attach_mode mode = WB_OPTION(opts, attach_mode, PROBE_ATTACH_MODE_DEFAULT);
	int result;

	if (!WB_OPTIONS_VALID(opts, bpf_uprobe_opts))
		return wb_null(-EINVAL);
	if (!wb_attaching(&it, prog))
		return NULL;
	result = wb_probe_mode(&it, mode);
	if (result < 0)
		return wb_null(result);
	result = wb_open_binary(binary_path, &binary);
	if (result < 0)
		return wb_null(result);
	result = wb_probe_options(&it, pid, &options);
	if (result == 0) {
		setting = wasm_bpf_bpf_programs_borrow_probe_options(options);
		wasm_bpf_bpf_programs_method_probe_options_set_cookie(setting, WB_OPTION(opts, bpf_cookie, 0));
		wasm_bpf_bpf_programs_method_probe_options_set_offset(setting, func_offset);
		wasm_bpf_bpf_programs_method_probe_options_set_at_return(setting, WB_OPTION(opts, retprobe, false));
		wasm_bpf_bpf_programs_method_probe_options_set_semaphore_offset(setting, WB_OPTION(opts, ref_ctr_offset, 0));
		result = wb_attached(&it, wasm_bpf_bpf_programs_method_program_attach_uprobe(
			it.program, wasi_filesystem_types_borrow_descriptor(binary), name ? &function : NULL, setting, &it.link,
			&error), &error);
		wasm_bpf_bpf_programs_probe_options_drop_own(options);
	}
	wasi_filesystem_types_descriptor_drop_own(binary);
	return wb_attach_link(&it, wb_probe_mode_attached(&it, mode, result));
}

struct bpf_link *bpf_program__attach_uprobe(const struct bpf_program *prog, bool retprobe, pid_t pid, const char *binary_path,
	size_t func_offset)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .retprobe = retprobe);

	return bpf_program__attach_uprobe_opts(prog, pid, binary_path, func_offset, &opts);
}
