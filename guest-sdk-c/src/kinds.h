// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kinds of program: the interface has them in the order of the kernel's numbers, which begin with 1.
#pragma once

#include <linux/bpf.h>

#include "wasm_bpf.h"

static inline wasm_bpf_bpf_types_program_type_t wb_program_type(unsigned int number)
{
	wasm_bpf_bpf_types_program_type_t type = { .tag = number - 1 };

	if (!number || number > WASM_BPF_BPF_TYPES_PROGRAM_TYPE_OTHER) {
		type.tag = WASM_BPF_BPF_TYPES_PROGRAM_TYPE_OTHER;
		type.val.other = number;
	}
	return type;
}

static inline unsigned int wb_program_type_number(const wasm_bpf_bpf_types_program_type_t *type)
{
	return type->tag == WASM_BPF_BPF_TYPES_PROGRAM_TYPE_OTHER ? type->val.other : type->tag + 1u;
}

_Static_assert(WASM_BPF_BPF_TYPES_PROGRAM_TYPE_SYSCALL + 1 == BPF_PROG_TYPE_SYSCALL, "the order is not the kernel's");
