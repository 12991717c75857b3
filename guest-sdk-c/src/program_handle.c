// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Descriptors of programs.
#include <stdint.h>

#include "descriptors.h"
#include "errors.h"

static void release(void *it)
{
	wasm_bpf_bpf_programs_program_drop_own((wasm_bpf_bpf_programs_own_program_t){ (intptr_t)it });
}

static int store_in(void *it, wasm_bpf_bpf_maps_borrow_map_t map, wasm_bpf_list_u8_t *key, wasm_bpf_bpf_maps_update_mode_t mode)
{
	wasm_bpf_bpf_programs_own_program_t own = { (intptr_t)it };
	wasm_bpf_bpf_programs_error_code_t error;

	return wasm_bpf_bpf_programs_method_program_store_in(wasm_bpf_bpf_programs_borrow_program(own), map, key, mode, &error) ?
		       0 : wb_fail_code(&error);
}

static const struct wb_operations operations = { .kind = WB_PROGRAM, .release = release, .store_in = store_in };

int wb_program_descriptor(wasm_bpf_bpf_programs_own_program_t handle)
{
	return wb_descriptor_new(&operations, (void *)(intptr_t)handle.__handle);
}

// Handles are never 0: the first of a table is 1.
bool wb_program_of(int fd, wasm_bpf_bpf_programs_borrow_program_t *handle)
{
	void *it = wb_descriptor_get(fd, WB_PROGRAM);

	if (it)
		*handle = wasm_bpf_bpf_programs_borrow_program((wasm_bpf_bpf_programs_own_program_t){ (intptr_t)it });
	return it;
}
