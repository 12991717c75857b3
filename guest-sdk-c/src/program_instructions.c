// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "elf_file.h"
#include "errors.h"
#include "object.h"

const struct bpf_insn *bpf_program__insns(const struct bpf_program *program)
{
	size_t length;
	const struct bpf_insn *instructions = wb_elf_symbol(program->object->elf, program->object->elf_size, program->name, &length);

	return instructions ? instructions : wb_null(-ENOENT);
}

size_t bpf_program__insn_cnt(const struct bpf_program *program)
{
	return program->instructions;
}
