// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Descriptors of programs.
#include <stdint.h>

#include "descriptors.h"

static void release(void *it)
{
	wasm_bpf_bpf_programs_program_drop_own((wasm_bpf_bpf_programs_own_program_t){ (intptr_t)it });
}

static const struct wb_operations operations = { .kind = WB_PROGRAM, .release = release };

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
