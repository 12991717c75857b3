// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "attach.h"

struct bpf_link *bpf_program__attach_tracepoint_opts(const struct bpf_program *prog, const char *tp_category, const char *tp_name,
						     const struct bpf_tracepoint_opts *opts)
{
	WB_CALL;
	struct wb_attaching it;
	wasm_bpf_bpf_types_error_t error;
	wasm_bpf_string_t category = wb_string(tp_category), name = wb_string(tp_name);

	if (!WB_OPTIONS_VALID(opts, bpf_tracepoint_opts))
		return wb_null(-EINVAL);
	if (!tp_category || !tp_name)
		return wb_null(wb_refuse(EINVAL, "program '%s': no tracepoint is given", prog->name));
	if (!wb_attaching(&it, prog))
		return NULL;
	return wb_attach_link(&it, wb_attached(&it, wasm_bpf_bpf_programs_method_program_attach_tracepoint(
		it.program, &category, &name, WB_OPTION(opts, bpf_cookie, 0), &it.link, &error), &error));
}

struct bpf_link *bpf_program__attach_tracepoint(const struct bpf_program *prog, const char *tp_category, const char *tp_name)
{
	return bpf_program__attach_tracepoint_opts(prog, tp_category, tp_name, NULL);
}
