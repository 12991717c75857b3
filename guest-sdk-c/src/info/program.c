// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <string.h>

#include <bpf/bpf.h>

#include "../errors.h"
#include "../globals.h"
#include "../descriptors.h"
#include "../types.h"
#include "give.h"

// The ids go to the caller's array, as far as it has room; how many there are is told in any case.
static void give_map_ids(struct bpf_prog_info *known, const struct bpf_prog_info *asked, __u32 length, wasm_bpf_list_u32_t *ids)
{
	__u32 room = length >= offsetof(struct bpf_prog_info, map_ids) + sizeof(asked->map_ids) ? asked->nr_map_ids : 0;
	__u32 *array = room ? (__u32 *)(uintptr_t)asked->map_ids : NULL;

	known->nr_map_ids = ids->len;
	known->map_ids = (uintptr_t)array;
	if (array)
		memcpy(array, ids->ptr, (room < ids->len ? room : ids->len) * sizeof(*array));
}

int bpf_prog_get_info_by_fd(int fd, struct bpf_prog_info *info, __u32 *length)
{
	wasm_bpf_bpf_programs_borrow_program_t program;
	wasm_bpf_bpf_programs_program_info_t told;
	wasm_bpf_bpf_programs_program_statistics_t statistics;
	wasm_bpf_bpf_programs_error_code_t error;
	struct bpf_prog_info known = {};

	if (!wb_program_of(fd, &program))
		return wb_refuse(EBADF, "%d is no descriptor of a program", fd);
	WB_CALL;
	if (!wasm_bpf_bpf_programs_method_program_info(program, &told, &error))
		return wb_fail_code(&error);
	known.type = wb_program_type_number(&told.type);
	known.id = told.id;
	memcpy(known.tag, &told.tag, sizeof(known.tag));
	known.xlated_prog_len = told.instructions * sizeof(struct bpf_insn);
	known.jited_prog_len = told.jited_size;
	known.load_time = told.load_time;
	known.created_by_uid = told.created_by_uid;
	known.ifindex = told.interface_index;
	known.gpl_compatible = told.gpl_compatible;
	known.btf_id = told.btf_id;
	known.verified_insns = told.verified_instructions;
	known.attach_btf_obj_id = told.attach_btf_object_id;
	known.attach_btf_id = told.attach_btf_id;
	give_map_ids(&known, info, *length, &told.map_ids);
	wb_give_name(known.name, &told.name);
	wasm_bpf_string_free(&told.section);
	wasm_bpf_list_u32_free(&told.map_ids);
	if (wasm_bpf_bpf_programs_method_program_statistics(program, &statistics, &error)) {
		known.run_cnt = statistics.run_count;
		known.run_time_ns = statistics.run_time_ns;
		known.recursion_misses = statistics.recursion_misses;
	}
	return wb_give(info, length, &known, sizeof(known));
}
