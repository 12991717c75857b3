// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sections of ELF files by their names, without reading all of a file that may be a kernel with its debug information.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// An open file, and what its header says.
struct wb_elf_sections {
	int fd;
	unsigned long long table; // where the headers of sections are
	unsigned int count;
	unsigned long long names, names_size;
};

// 0, or -LIBBPF_ERRNO__FORMAT for what is no ELF file of 64 bits in the guest's byte order.
int wb_elf_sections(int fd, struct wb_elf_sections *sections);

// The contents of a section in memory of its own; NULL with a size of 0 if there is none of this name. 0, or a negative errno.
int wb_elf_read_section(const struct wb_elf_sections *sections, const char *name, void **contents, size_t *size);
