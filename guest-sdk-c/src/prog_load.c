// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "descriptors.h"
#include "errors.h"
#include "globals.h"
#include "object.h"
#include "options.h"
#include "types.h"

#define MOST_MAPS 64 // as the interface has it

struct loading {
	wasm_bpf_bpf_programs_borrow_load_options_t setting;
	struct bpf_insn *instructions;
	size_t count;
	const int *given; // fd_array
	size_t given_count;
	// The maps that were added so far, by what the instructions had for them.
	int fds[MOST_MAPS];
	uint32_t indexes[MOST_MAPS];
	unsigned int maps;
	wasm_bpf_bpf_types_error_t error;
};

static int add_map(struct loading *it, int fd, uint32_t *index)
{
	wasm_bpf_bpf_maps_borrow_map_t map;

	for (unsigned int i = 0; i < it->maps; i++) {
		if (it->fds[i] == fd) {
			*index = it->indexes[i];
			return 0;
		}
	}
	if (!wb_map_of(fd, &map))
		return wb_refuse(errno, "an instruction refers to a map by the descriptor %d, which is of none", fd);
	if (!wasm_bpf_bpf_programs_method_load_options_add_map(it->setting, map, index, &it->error))
		return wb_fail(&it->error, "give a map to a program");
	if (it->maps < MOST_MAPS) {
		it->fds[it->maps] = fd;
		it->indexes[it->maps++] = *index;
	}
	return 0;
}

// Instructions have maps by descriptors of this guest, or as places in fd_array; the interface wants places among the maps that are added.
static int give_maps(struct loading *it)
{
	for (size_t i = 0; i < it->count; i++) {
		struct bpf_insn *instruction = &it->instructions[i];
		uint32_t index;
		int fd = instruction->imm, result;

		if (instruction->code != (BPF_LD | BPF_IMM | BPF_DW))
			continue;
		switch (instruction->src_reg) {
		case BPF_PSEUDO_MAP_IDX:
		case BPF_PSEUDO_MAP_IDX_VALUE:
			if (!it->given || (it->given_count && (uint32_t)instruction->imm >= it->given_count))
				return wb_refuse(EINVAL, "instruction %zu refers to place %d of fd_array, which has none such", i,
					instruction->imm);
			fd = it->given[instruction->imm];
			/* fallthrough */
		case BPF_PSEUDO_MAP_FD:
		case BPF_PSEUDO_MAP_VALUE:
			result = add_map(it, fd, &index);
			if (result < 0)
				return result;
			instruction->imm = index;
			if (instruction->src_reg == BPF_PSEUDO_MAP_FD)
				instruction->src_reg = BPF_PSEUDO_MAP_IDX;
			else if (instruction->src_reg == BPF_PSEUDO_MAP_VALUE)
				instruction->src_reg = BPF_PSEUDO_MAP_IDX_VALUE;
		}
		i++; // the second half has the rest of the number
	}
	return 0;
}

// The interface takes the kernel's target by its name, libbpf by its type.
static int set_target(struct loading *it, uint32_t id)
{
	static const char *const prefixes[] = { "bpf_lsm_", "bpf_iter_", "btf_trace_" };
	wasm_bpf_bpf_btf_own_btf_t btf;
	wasm_bpf_bpf_btf_type_info_t type;
	wasm_bpf_string_t name;
	bool ok;

	if (!wasm_bpf_bpf_btf_static_btf_kernel(&btf, &it->error))
		return wb_fail(&it->error, "read the kernel's BTF");
	ok = wasm_bpf_bpf_btf_method_btf_describe(wasm_bpf_bpf_btf_borrow_btf(btf), id, &type);
	wasm_bpf_bpf_btf_btf_drop_own(btf);
	if (!ok)
		return wb_refuse(EINVAL, "the kernel's BTF has no type %u", id);
	name = type.name;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		size_t length = strlen(prefixes[i]);

		if (name.len > length && !memcmp(name.ptr, prefixes[i], length)) {
			name.ptr += length;
			name.len -= length;
			break;
		}
	}
	ok = wasm_bpf_bpf_programs_method_load_options_set_attach_target(it->setting, &name, &it->error);
	wasm_bpf_bpf_btf_type_info_free(&type);
	return ok ? 0 : wb_fail(&it->error, "set the target of a program");
}

static int set(struct loading *it, const char *name, const char *license, const struct bpf_prog_load_opts *opts)
{
	// The kernel keeps no more of a name, and libbpf cuts it off there.
	wasm_bpf_string_t name_text = { (uint8_t *)name, name ? strnlen(name, BPF_OBJ_NAME_LEN - 1) : 0 };
	wasm_bpf_string_t license_text = wb_string(license);
	uint32_t target = WB_OPTION(opts, attach_btf_id, 0);

	wasm_bpf_bpf_programs_method_load_options_set_expected_attach_type(it->setting, WB_OPTION(opts, expected_attach_type, 0));
	wasm_bpf_bpf_programs_method_load_options_set_flags(it->setting, WB_OPTION(opts, prog_flags, 0));
	if ((name_text.len && !wasm_bpf_bpf_programs_method_load_options_set_name(it->setting, &name_text, &it->error)) ||
	    (license && !wasm_bpf_bpf_programs_method_load_options_set_license(it->setting, &license_text, &it->error)) ||
	    !wasm_bpf_bpf_programs_method_load_options_set_verifier_log_level(it->setting, WB_OPTION(opts, log_level, 0), &it->error))
		return wb_fail(&it->error, "set how a program is loaded");
	return target ? set_target(it, target) : 0;
}

// What cannot be said to the host.
static int refuse(const struct bpf_prog_load_opts *opts)
{
	if (WB_OPTION(opts, func_info_cnt, 0) || WB_OPTION(opts, line_info_cnt, 0) || WB_OPTION(opts, prog_btf_fd, 0))
		return wb_refuse(ENOTSUP, "the host takes no types, functions or lines of a program that is loaded from instructions");
	if (WB_OPTION(opts, attach_prog_fd, 0) || WB_OPTION(opts, attach_btf_obj_fd, 0))
		return wb_refuse(ENOTSUP, "a program that is loaded from instructions cannot have another program or a module as its "
			"target");
	if (WB_OPTION(opts, prog_ifindex, 0))
		return wb_refuse(ENOTSUP, "the host loads no programs for hardware");
	if (WB_OPTION(opts, token_fd, 0))
		return wb_refuse(ENOTSUP, "the host has no BPF tokens");
	if (!WB_OPTION(opts, log_buf, NULL) != !WB_OPTION(opts, log_size, 0))
		return wb_refuse(EINVAL, "a buffer for the log needs a size, and a size a buffer");
	return 0;
}

// The end of the log says why.
static void give_log(struct bpf_prog_load_opts *opts, const char *log)
{
	char *buffer = WB_OPTION(opts, log_buf, NULL);
	size_t length = log ? strlen(log) : 0, room, skip;

	WB_SET_OPTION(opts, log_true_size, length + 1);
	if (!buffer)
		return;
	room = opts->log_size - 1;
	skip = length > room ? length - room : 0;
	memcpy(buffer, log ? log + skip : "", length - skip + 1);
}

int bpf_prog_load(enum bpf_prog_type prog_type, const char *prog_name, const char *license, const struct bpf_insn *insns, size_t insn_cnt,
		  struct bpf_prog_load_opts *opts)
{
	WB_CALL;
	wasm_bpf_bpf_types_program_type_t type = wb_program_type(prog_type);
	wasm_bpf_bpf_programs_own_load_options_t options;
	wasm_bpf_bpf_programs_own_program_t program;
	struct loading it = { .count = insn_cnt };
	wasm_bpf_list_u8_t bytes;
	char doing[48];
	int result;

	if (!WB_OPTIONS_VALID(opts, bpf_prog_load_opts))
		return -EINVAL;
	result = refuse(opts);
	if (result < 0)
		return result;
	if (!insns || !insn_cnt || insn_cnt > SIZE_MAX / sizeof(*insns))
		return wb_refuse(EINVAL, "a program needs instructions");
	it.given = WB_OPTION(opts, fd_array, NULL);
	it.given_count = WB_OPTION(opts, fd_array_cnt, 0);
	it.instructions = malloc(insn_cnt * sizeof(*insns));
	if (!it.instructions)
		return wb_no_memory();
	memcpy(it.instructions, insns, insn_cnt * sizeof(*insns));
	options = wasm_bpf_bpf_programs_constructor_load_options();
	it.setting = wasm_bpf_bpf_programs_borrow_load_options(options);
	result = set(&it, prog_name, license, opts);
	if (result == 0)
		result = give_maps(&it);
	if (result == 0) {
		bytes = wb_bytes(it.instructions, insn_cnt * sizeof(*insns));
		if (wasm_bpf_bpf_programs_static_program_load(&type, it.setting, &bytes, &program, &it.error)) {
			result = wb_program_descriptor(program);
			give_log(opts, NULL);
		} else {
			snprintf(doing, sizeof(doing), "load program '%.20s'", prog_name ? prog_name : "");
			// Who asks for the log looks at it. But what the host does not grant nobody would look for there.
			if (WB_OPTION(opts, log_buf, NULL) && it.error.code.tag != WASM_BPF_BPF_TYPES_ERROR_CODE_NOT_GRANTED)
				result = wb_fail_silently(&it.error);
			else
				result = wb_fail(&it.error, doing);
			give_log(opts, wb_last_verifier_log());
			errno = -result;
		}
	}
	wasm_bpf_bpf_programs_load_options_drop_own(options);
	free(it.instructions);
	return result;
}
