// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Numbers of <linux/bpf.h> and the cases of the interface, which are in the same order.
#pragma once

#include <linux/bpf.h>

#include "wasm_bpf.h"

static inline wasm_bpf_bpf_types_map_type_t wb_map_type(enum bpf_map_type type)
{
	wasm_bpf_bpf_types_map_type_t result = { .tag = WASM_BPF_BPF_TYPES_MAP_TYPE_OTHER, .val.other = type };

	if (type > 0 && (unsigned int)type <= WASM_BPF_BPF_TYPES_MAP_TYPE_OTHER)
		result.tag = type - 1;
	return result;
}

static inline enum bpf_map_type wb_map_type_number(const wasm_bpf_bpf_types_map_type_t *type)
{
	return type->tag == WASM_BPF_BPF_TYPES_MAP_TYPE_OTHER ? type->val.other : type->tag + 1u;
}

static inline wasm_bpf_bpf_types_program_type_t wb_program_type(enum bpf_prog_type type)
{
	wasm_bpf_bpf_types_program_type_t result = { .tag = WASM_BPF_BPF_TYPES_PROGRAM_TYPE_OTHER, .val.other = type };

	if (type > 0 && (unsigned int)type <= WASM_BPF_BPF_TYPES_PROGRAM_TYPE_OTHER)
		result.tag = type - 1;
	return result;
}

static inline enum bpf_prog_type wb_program_type_number(const wasm_bpf_bpf_types_program_type_t *type)
{
	return type->tag == WASM_BPF_BPF_TYPES_PROGRAM_TYPE_OTHER ? type->val.other : type->tag + 1u;
}

_Static_assert(WASM_BPF_BPF_TYPES_MAP_TYPE_HASH + 1 == BPF_MAP_TYPE_HASH, "the order of map types");
_Static_assert(WASM_BPF_BPF_TYPES_MAP_TYPE_RINGBUF + 1 == BPF_MAP_TYPE_RINGBUF, "the order of map types");
_Static_assert(WASM_BPF_BPF_TYPES_PROGRAM_TYPE_SOCKET_FILTER + 1 == BPF_PROG_TYPE_SOCKET_FILTER, "the order of program types");
_Static_assert(WASM_BPF_BPF_TYPES_PROGRAM_TYPE_SYSCALL + 1 == BPF_PROG_TYPE_SYSCALL, "the order of program types");
