// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "../paths.h"
#include "attach.h"

int wb_attach_cgroup(struct wb_attaching *it, int cgroup_fd, const struct wb_place *place)
{
	wasm_bpf_bpf_types_error_t error;
	wasm_bpf_bpf_programs_own_placement_t placement;
	wasm_bpf_bpf_programs_own_cgroup_options_t options;
	wasm_bpf_bpf_programs_borrow_cgroup_options_t setting;
	wasi_filesystem_types_own_descriptor_t cgroup;
	int has_place, result;

	has_place = wb_placement(it, place, &placement);
	if (has_place < 0)
		return has_place;
	result = wb_open_path_of(cgroup_fd, &cgroup);
	if (result == 0) {
		options = wasm_bpf_bpf_programs_constructor_cgroup_options();
		setting = wasm_bpf_bpf_programs_borrow_cgroup_options(options);
		wasm_bpf_bpf_programs_method_cgroup_options_set_attach_type(setting, it->type);
		if (has_place)
			wasm_bpf_bpf_programs_method_cgroup_options_set_placement(setting,
				wasm_bpf_bpf_programs_borrow_placement(placement));
		result = wb_attached(it, wasm_bpf_bpf_programs_method_program_attach_cgroup(
			it->program, wasi_filesystem_types_borrow_descriptor(cgroup), &setting, &it->link, &error), &error);
		wasm_bpf_bpf_programs_cgroup_options_drop_own(options);
		wasi_filesystem_types_descriptor_drop_own(cgroup);
	}
	if (has_place)
		wasm_bpf_bpf_programs_placement_drop_own(placement);
	return result;
}

struct bpf_link *bpf_program__attach_cgroup_opts(const struct bpf_program *prog, int cgroup_fd, const struct bpf_cgroup_opts *opts)
{
	WB_CALL;
	struct wb_attaching it;
	struct wb_place place = {
		WB_OPTION(opts, flags, 0), WB_OPTION(opts, relative_fd, 0), WB_OPTION(opts, relative_id, 0),
		WB_OPTION(opts, expected_revision, 0),
	};

	if (!WB_OPTIONS_VALID(opts, bpf_cgroup_opts))
		return wb_null(-EINVAL);
	if (!wb_attaching(&it, prog))
		return NULL;
	return wb_attach_link(&it, wb_attach_cgroup(&it, cgroup_fd, &place));
}

struct bpf_link *bpf_program__attach_cgroup(const struct bpf_program *prog, int cgroup_fd)
{
	return bpf_program__attach_cgroup_opts(prog, cgroup_fd, NULL);
}
