// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Object files as libelf has them.
#pragma once

#include <gelf.h>
#include <stdbool.h>

struct Elf_Scn {
	Elf *elf;
	size_t index;
	Elf64_Shdr header;
	bool has_data;
	// Its data: what the caller sees, and whose file it is of.
	struct wb_elf_data {
		Elf_Data data;
		Elf *elf;
	} data;
};

struct Elf {
	int references;
	int fd;                 // -1: memory
	const char *image;      // of elf_memory()
	uint64_t size;
	Elf_Kind kind;
	bool is_64;
	char ident[EI_NIDENT];
	Elf64_Ehdr header;
	struct Elf_Scn *sections;
	size_t section_count, names;
	Elf64_Phdr *segments;
	size_t segment_count;
};

enum wb_elf_error {
	WB_ELF_OK,
	WB_ELF_NO_MEMORY,
	WB_ELF_CANNOT_READ,
	WB_ELF_BROKEN,
	WB_ELF_BIG_ENDIAN,
	WB_ELF_COMMAND,
	WB_ELF_VERSION,
	WB_ELF_INDEX,
	WB_ELF_NO_STRINGS,
	WB_ELF_OTHER_CLASS,
};

// Remembers an error for elf_errno(): NULL, for those who return it.
void *wb_elf_fail(enum wb_elf_error error);

// A part of the file in memory of its own, with a zero behind it. NULL, and the error is remembered, if it is not there.
void *wb_elf_read(const Elf *elf, uint64_t offset, uint64_t size);
