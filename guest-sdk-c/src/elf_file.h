// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The little that is read from object files here: sections and symbols by their names. The host reads the rest.
#pragma once

#include <stddef.h>
#include <stdint.h>

// The contents of a section, inside the file; NULL if it has none of this name, or is broken. Sections without contents (.bss) count as
// missing.
const void *wb_elf_section(const void *file, size_t size, const char *name, size_t *length);

// What a symbol stands for, inside the file: `length` bytes; NULL if there is no symbol of this name in a section with contents.
const void *wb_elf_symbol(const void *file, size_t size, const char *name, size_t *length);
