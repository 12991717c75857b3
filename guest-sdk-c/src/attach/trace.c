// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "attach.h"

int wb_attach_trace(struct wb_attaching *it, uint64_t cookie)
{
	wasm_bpf_bpf_types_error_t error;

	return wb_attached(it, wasm_bpf_bpf_programs_method_program_attach_trace(it->program, cookie, &it->link, &error), &error);
}

int wb_attach_lsm(struct wb_attaching *it)
{
	wasm_bpf_bpf_types_error_t error;

	return wb_attached(it, wasm_bpf_bpf_programs_method_program_attach_lsm(it->program, &it->link, &error), &error);
}

struct bpf_link *bpf_program__attach_trace_opts(const struct bpf_program *prog, const struct bpf_trace_opts *opts)
{
	WB_CALL;
	struct wb_attaching it;
	uint64_t cookie = WB_OPTION(opts, cookie, 0);

	if (!WB_OPTIONS_VALID(opts, bpf_trace_opts))
		return wb_null(-EINVAL);
	if (!wb_attaching(&it, prog))
		return NULL;
	// In libbpf all that is loaded for a target is attached by the same call.
	if (prog->type == BPF_PROG_TYPE_LSM && !cookie)
		return wb_attach_link(&it, wb_attach_lsm(&it));
	return wb_attach_link(&it, wb_attach_trace(&it, cookie));
}

struct bpf_link *bpf_program__attach_trace(const struct bpf_program *prog)
{
	return bpf_program__attach_trace_opts(prog, NULL);
}

struct bpf_link *bpf_program__attach_lsm(const struct bpf_program *prog)
{
	WB_CALL;
	struct wb_attaching it;

	if (!wb_attaching(&it, prog))
		return NULL;
	return wb_attach_link(&it, wb_attach_lsm(&it));
}
