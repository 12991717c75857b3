// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "attach.h"

struct bpf_link *bpf_program__attach_kprobe_opts(const struct bpf_program *prog, const char *func_name, const struct bpf_kprobe_opts *opts)
{
	WB_CALL;
	struct wb_attaching it;
	wasm_bpf_bpf_programs_own_probe_options_t options;
	wasm_bpf_bpf_programs_borrow_probe_options_t setting;
	wasm_bpf_bpf_types_error_t error;
	wasm_bpf_string_t function = wb_string(func_name);
	enum probe_attach_mode mode = WB_OPTION(opts, attach_mode, PROBE_ATTACH_MODE_DEFAULT);
	int result;

	if (!WB_OPTIONS_VALID(opts, bpf_kprobe_opts))
		return wb_null(-EINVAL);
	if (!wb_attaching(&it, prog))
		return NULL;
	if (!func_name)
		return wb_null(wb_refuse(ENOTSUP, "program '%s': an address of the kernel is no place for a guest to name; name a function",
			it.name));
	result = wb_probe_mode(&it, mode);
	if (result < 0)
		return wb_null(result);
	result = wb_probe_options(&it, -1, &options);
	if (result < 0)
		return wb_null(result);
	setting = wasm_bpf_bpf_programs_borrow_probe_options(options);
	wasm_bpf_bpf_programs_method_probe_options_set_cookie(setting, WB_OPTION(opts, bpf_cookie, 0));
	wasm_bpf_bpf_programs_method_probe_options_set_offset(setting, WB_OPTION(opts, offset, 0));
	wasm_bpf_bpf_programs_method_probe_options_set_at_return(setting, WB_OPTION(opts, retprobe, false));
	result = wb_attached(&it, wasm_bpf_bpf_programs_method_program_attach_kprobe(it.program, &function, setting, &it.link, &error),
		&error);
	wasm_bpf_bpf_programs_probe_options_drop_own(options);
	return wb_attach_link(&it, wb_probe_mode_attached(&it, mode, result));
}

struct bpf_link *bpf_program__attach_kprobe(const struct bpf_program *prog, bool retprobe, const char *func_name)
{
	LIBBPF_OPTS(bpf_kprobe_opts, opts, .retprobe = retprobe);

	return bpf_program__attach_kprobe_opts(prog, func_name, &opts);
}

struct bpf_link *bpf_program__attach_ksyscall(const struct bpf_program *prog, const char *syscall_name,
	const struct bpf_ksyscall_opts *opts)
{
	WB_CALL;
	struct wb_attaching it;
	wasm_bpf_bpf_programs_own_probe_options_t options;
	wasm_bpf_bpf_programs_borrow_probe_options_t setting;
	wasm_bpf_bpf_types_error_t error;
	wasm_bpf_string_t name = wb_string(syscall_name);
	int result;

	if (!WB_OPTIONS_VALID(opts, bpf_ksyscall_opts))
		return wb_null(-EINVAL);
	if (!wb_attaching(&it, prog))
		return NULL;
	if (!syscall_name)
		return wb_null(wb_refuse(EINVAL, "program '%s': no system call is given", it.name));
	result = wb_probe_options(&it, -1, &options);
	if (result < 0)
		return wb_null(result);
	setting = wasm_bpf_bpf_programs_borrow_probe_options(options);
	wasm_bpf_bpf_programs_method_probe_options_set_cookie(setting, WB_OPTION(opts, bpf_cookie, 0));
	wasm_bpf_bpf_programs_method_probe_options_set_at_return(setting, WB_OPTION(opts, retprobe, false));
	result = wb_attached(&it, wasm_bpf_bpf_programs_method_program_attach_ksyscall(it.program, &name, setting, &it.link, &error),
		&error);
	wasm_bpf_bpf_programs_probe_options_drop_own(options);
	return wb_attach_link(&it, result);
}
