// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "../descriptors.h"
#include "attach.h"

int wb_attach_freplace(struct wb_attaching *it, int target_fd, const char *function)
{
	wasm_bpf_bpf_programs_borrow_program_t target;
	wasm_bpf_bpf_programs_option_own_link_t made;
	wasm_bpf_bpf_types_error_t error;
	wasm_bpf_string_t name = wb_string(function);
	int result;

	if (!target_fd) {
		// The host remembers the target that the object was loaded with.
		result = wb_attached(it, wasm_bpf_bpf_programs_method_program_attach(it->program, &made, &error), &error);
		if (result < 0)
			return result;
		if (!made.is_some)
			return wb_refuse(EINVAL, "program '%s': it was loaded for no function of another program", it->name);
		it->link = made.val;
		return 0;
	}
	if (!wb_program_of(target_fd, &target))
		return wb_refuse(errno, "program '%s': %d is no program", it->name, target_fd);
	return wb_attached(it, wasm_bpf_bpf_programs_method_program_attach_freplace(it->program, target, &name, &it->link, &error), &error);
}

struct bpf_link *bpf_program__attach_freplace(const struct bpf_program *prog, int target_fd, const char *attach_func_name)
{
	WB_CALL;
	struct wb_attaching it;

	if (!target_fd != !attach_func_name)
		return wb_null(wb_refuse(EINVAL, "program '%s': give both a program and its function, or neither", prog->name));
	if (prog->type != BPF_PROG_TYPE_EXT)
		return wb_null(wb_refuse(EINVAL, "program '%s': only an ext program takes the place of a function", prog->name));
	if (!wb_attaching(&it, prog))
		return NULL;
	return wb_attach_link(&it, wb_attach_freplace(&it, target_fd, attach_func_name));
}
