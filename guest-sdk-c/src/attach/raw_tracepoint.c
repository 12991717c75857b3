// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "attach.h"

static int attach(struct wb_attaching *it, const char *name, uint64_t cookie)
{
	wasm_bpf_bpf_types_error_t error;
	wasm_bpf_string_t text = wb_string(name);

	return wb_attached(it, wasm_bpf_bpf_programs_method_program_attach_raw_tracepoint(it->program, &text, cookie, &it->link, &error),
			   &error);
}

// Without a name, a program is attached to what it was loaded for, as BPF_RAW_TRACEPOINT_OPEN does.
static int attach_to_target(struct wb_attaching *it, uint64_t cookie)
{
	wasm_bpf_bpf_programs_program_info_t info;
	wasm_bpf_bpf_types_error_code_t code;
	bool is_lsm, is_ext;

	if (!wasm_bpf_bpf_programs_method_program_info(it->program, &info, &code))
		return wb_fail_code(&code);
	is_lsm = info.type.tag == WASM_BPF_BPF_TYPES_PROGRAM_TYPE_LSM;
	is_ext = info.type.tag == WASM_BPF_BPF_TYPES_PROGRAM_TYPE_EXT;
	wasm_bpf_bpf_programs_program_info_free(&info);
	if (is_ext)
		return wb_attach_freplace(it, 0, NULL);
	return is_lsm ? wb_attach_lsm(it) : wb_attach_trace(it, cookie);
}

struct bpf_link *bpf_program__attach_raw_tracepoint_opts(const struct bpf_program *prog, const char *tp_name,
							 struct bpf_raw_tracepoint_opts *opts)
{
	WB_CALL;
	struct wb_attaching it;
	uint64_t cookie = WB_OPTION(opts, cookie, 0);

	if (!WB_OPTIONS_VALID(opts, bpf_raw_tracepoint_opts))
		return wb_null(-EINVAL);
	if (!wb_attaching(&it, prog))
		return NULL;
	return wb_attach_link(&it, tp_name ? attach(&it, tp_name, cookie) : attach_to_target(&it, cookie));
}

struct bpf_link *bpf_program__attach_raw_tracepoint(const struct bpf_program *prog, const char *tp_name)
{
	return bpf_program__attach_raw_tracepoint_opts(prog, tp_name, NULL);
}

int bpf_raw_tracepoint_open_opts(int prog_fd, struct bpf_raw_tp_opts *opts)
{
	WB_CALL;
	struct wb_attaching it;
	const char *name = WB_OPTION(opts, tp_name, NULL);
	uint64_t cookie = WB_OPTION(opts, cookie, 0);

	if (!WB_OPTIONS_VALID(opts, bpf_raw_tp_opts))
		return -EINVAL;
	if (!wb_attaching_fd(&it, prog_fd, BPF_TRACE_RAW_TP))
		return -errno;
	return wb_attach_descriptor(&it, name ? attach(&it, name, cookie) : attach_to_target(&it, cookie));
}

int bpf_raw_tracepoint_open(const char *name, int prog_fd)
{
	LIBBPF_OPTS(bpf_raw_tp_opts, opts, .tp_name = name);

	return bpf_raw_tracepoint_open_opts(prog_fd, &opts);
}
