// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "../descriptors.h"
#include "attach.h"
#include "numbers.h"

// Beside a neighbour that is given by its descriptor.
static int beside_fd(const struct wb_attaching *it, const struct wb_place *place, wasm_bpf_bpf_programs_borrow_placement_t setting)
{
	bool is_before = place->flags & WB_F_BEFORE, ok;
	wasm_bpf_bpf_programs_borrow_program_t program;
	wasm_bpf_bpf_links_borrow_link_t link;
	wasm_bpf_bpf_types_error_code_t code;

	if (place->flags & WB_F_LINK) {
		if (!wb_link_of(place->relative_fd, &link))
			return wb_refuse(errno, "program '%s': its neighbour %u is no link", it->name, place->relative_fd);
		ok = is_before ? wasm_bpf_bpf_programs_method_placement_set_before_link(setting, link, &code)
			       : wasm_bpf_bpf_programs_method_placement_set_after_link(setting, link, &code);
	} else {
		if (!wb_program_of(place->relative_fd, &program))
			return wb_refuse(errno, "program '%s': its neighbour %u is no program", it->name, place->relative_fd);
		ok = is_before ? wasm_bpf_bpf_programs_method_placement_set_before_program(setting, program, &code)
			       : wasm_bpf_bpf_programs_method_placement_set_after_program(setting, program, &code);
	}
	return ok ? 0 : wb_fail_code(&code);
}

static int set(const struct wb_attaching *it, const struct wb_place *place, wasm_bpf_bpf_programs_borrow_placement_t setting)
{
	bool is_before = place->flags & WB_F_BEFORE;

	if (place->relative_id) {
		if (place->flags & WB_F_LINK)
			return wb_refuse(ENOTSUP, "program '%s': the host does not take the id of a link as a neighbour; give its "
				"descriptor", it->name);
		if (is_before)
			wasm_bpf_bpf_programs_method_placement_set_before_program_id(setting, place->relative_id);
		else
			wasm_bpf_bpf_programs_method_placement_set_after_program_id(setting, place->relative_id);
	} else if (place->relative_fd) {
		int result = beside_fd(it, place, setting);

		if (result < 0)
			return result;
	} else if (is_before) {
		wasm_bpf_bpf_programs_method_placement_set_first(setting);
	} else if (place->flags & WB_F_AFTER) {
		wasm_bpf_bpf_programs_method_placement_set_last(setting);
	}
	wasm_bpf_bpf_programs_method_placement_set_expected_revision(setting, place->expected_revision);
	return 0;
}

int wb_placement(const struct wb_attaching *it, const struct wb_place *place, wasm_bpf_bpf_programs_own_placement_t *placement)
{
	bool is_relative = place->relative_fd || place->relative_id;
	uint32_t side = place->flags & (WB_F_BEFORE | WB_F_AFTER);
	int result;

	if (place->flags & ~WB_PLACE_FLAGS)
		return wb_refuse(EINVAL, "program '%s': flags 0x%x say nothing of a place that the host knows", it->name, place->flags);
	if (place->relative_fd && place->relative_id)
		return wb_refuse(EINVAL, "program '%s': a neighbour is given by its descriptor or by its id, not both", it->name);
	if (side == (WB_F_BEFORE | WB_F_AFTER) || (is_relative && !side))
		return wb_refuse(EINVAL, "program '%s': a neighbour is followed (BPF_F_AFTER) or preceded (BPF_F_BEFORE)", it->name);
	if (!side && !place->expected_revision)
		return 0;
	*placement = wasm_bpf_bpf_programs_constructor_placement();
	result = set(it, place, wasm_bpf_bpf_programs_borrow_placement(*placement));
	if (result == 0)
		return 1;
	wasm_bpf_bpf_programs_placement_drop_own(*placement);
	return result;
}
