// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "attach.h"

int wb_attach_by_section(const struct bpf_program *program, struct bpf_link **link)
{
	struct wb_attaching it;
	wasm_bpf_bpf_programs_option_own_link_t made;
	wasm_bpf_bpf_types_error_t error;
	int result;

	if (program->attach_otherwise) {
		*link = program->attach_otherwise(program);
		return *link ? 0 : -errno;
	}
	*link = NULL;
	if (!wb_attaching(&it, program))
		return -errno;
	result = wb_attached(&it, wasm_bpf_bpf_programs_method_program_attach(it.program, &made, &error), &error);
	if (result < 0 || !made.is_some)
		return result;
	*link = wb_link_new(made.val);
	return *link ? 0 : -errno;
}

struct bpf_link *bpf_program__attach(const struct bpf_program *prog)
{
	WB_CALL;
	struct bpf_link *link;
	int result = wb_attach_by_section(prog, &link);

	if (result < 0)
		return wb_null(result);
	if (!link)
		return wb_null(wb_refuse(EOPNOTSUPP, "program '%s': its section '%s' does not say what to attach to", prog->name,
					 prog->section));
	return link;
}
