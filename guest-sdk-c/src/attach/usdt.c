// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "attach.h"

struct bpf_link *bpf_program__attach_usdt(const struct bpf_program *prog, pid_t pid, const char *binary_path, const char *usdt_provider,
					  const char *usdt_name, const struct bpf_usdt_opts *opts)
{
	WB_CALL;
	struct wb_attaching it;
	wasm_bpf_bpf_programs_own_probe_options_t options;
	wasm_bpf_bpf_programs_borrow_probe_options_t setting;
	wasi_filesystem_types_own_descriptor_t binary;
	wasm_bpf_bpf_types_error_t error;
	wasm_bpf_string_t provider = wb_string(usdt_provider), name = wb_string(usdt_name);
	int result;

	if (!WB_OPTIONS_VALID(opts, bpf_usdt_opts))
		return wb_null(-EINVAL);
	if (!wb_attaching(&it, prog))
		return NULL;
	if (!usdt_provider || !usdt_name)
		return wb_null(wb_refuse(EINVAL, "program '%s': no USDT probe is given", it.name));
	result = wb_open_binary(binary_path, &binary);
	if (result < 0)
		return wb_null(result);
	result = wb_probe_options(&it, pid, &options);
	if (result == 0) {
		setting = wasm_bpf_bpf_programs_borrow_probe_options(options);
		wasm_bpf_bpf_programs_method_probe_options_set_cookie(setting, WB_OPTION(opts, usdt_cookie, 0));
		result = wb_attached(&it, wasm_bpf_bpf_programs_method_program_attach_usdt(
			it.program, wasi_filesystem_types_borrow_descriptor(binary), &provider, &name, setting, &it.link, &error), &error);
		wasm_bpf_bpf_programs_probe_options_drop_own(options);
	}
	wasi_filesystem_types_descriptor_drop_own(binary);
	return wb_attach_link(&it, result);
}
