// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "elf_file.h"

#include <linux/elf.h>
#include <stdbool.h>
#include <string.h>

// Headers may lie at any address: files are bytes.
struct file {
	const uint8_t *bytes;
	size_t size;
	Elf64_Ehdr header;
};

static const void *range(const struct file *file, uint64_t offset, uint64_t length)
{
	return offset <= file->size && length <= file->size - offset ? file->bytes + offset : NULL;
}

static bool is_elf(struct file *file, const void *bytes, size_t size)
{
	file->bytes = bytes;
	file->size = size;
	if (size < sizeof(file->header))
		return false;
	memcpy(&file->header, bytes, sizeof(file->header));
	return !memcmp(file->header.e_ident, ELFMAG, SELFMAG) && file->header.e_ident[EI_CLASS] == ELFCLASS64 &&
	       file->header.e_ident[EI_DATA] == ELFDATA2LSB && file->header.e_shentsize == sizeof(Elf64_Shdr);
}

static bool section_at(const struct file *file, unsigned int index, Elf64_Shdr *section)
{
	const uint64_t offset = file->header.e_shoff + (uint64_t)index * sizeof(*section);
	const void *at = index < file->header.e_shnum ? range(file, offset, sizeof(*section)) : NULL;

	if (at)
		memcpy(section, at, sizeof(*section));
	return at;
}

static const void *contents(const struct file *file, const Elf64_Shdr *section)
{
	return section->sh_type == SHT_NOBITS ? NULL : range(file, section->sh_offset, section->sh_size);
}

// A text of a section of texts, with its end inside the section.
static bool is_called(const struct file *file, const Elf64_Shdr *texts, uint32_t offset, const char *name)
{
	const char *text = contents(file, texts);
	size_t length = strlen(name) + 1;

	return text && offset < texts->sh_size && length <= texts->sh_size - offset && !memcmp(text + offset, name, length);
}

const void *wb_elf_section(const void *bytes, size_t size, const char *name, size_t *length)
{
	Elf64_Shdr section, names;
	struct file file;

	if (!is_elf(&file, bytes, size) || !section_at(&file, file.header.e_shstrndx, &names))
		return NULL;
	for (unsigned int i = 1; section_at(&file, i, &section); i++) {
		if (!is_called(&file, &names, section.sh_name, name))
			continue;
		*length = section.sh_size;
		return contents(&file, &section);
	}
	return NULL;
}

const void *wb_elf_symbol(const void *bytes, size_t size, const char *name, size_t *length)
{
	Elf64_Shdr symbols, names, section;
	const uint8_t *table, *data;
	struct file file;
	Elf64_Sym symbol;

	if (!is_elf(&file, bytes, size))
		return NULL;
	for (unsigned int i = 1;; i++) {
		if (!section_at(&file, i, &symbols))
			return NULL;
		if (symbols.sh_type == SHT_SYMTAB)
			break;
	}
	table = contents(&file, &symbols);
	if (!table || !section_at(&file, symbols.sh_link, &names))
		return NULL;
	for (uint64_t at = 0; at + sizeof(symbol) <= symbols.sh_size; at += sizeof(symbol)) {
		memcpy(&symbol, table + at, sizeof(symbol));
		if (!symbol.st_size || !is_called(&file, &names, symbol.st_name, name) || !section_at(&file, symbol.st_shndx, &section))
			continue;
		data = contents(&file, &section);
		if (!data || symbol.st_value > section.sh_size || symbol.st_size > section.sh_size - symbol.st_value)
			return NULL;
		*length = symbol.st_size;
		return data + symbol.st_value;
	}
	return NULL;
}
