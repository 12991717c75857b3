// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "elf.h"

#include <linux/elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "../errors.h"

// All of a range, which files that someone made up do not have to have.
static bool read_at(int fd, void *buffer, size_t size, uint64_t offset)
{
	char *to = buffer;

	while (size) {
		ssize_t got = offset > INT64_MAX ? 0 : pread(fd, to, size, offset);

		if (got <= 0)
			return false;
		to += got;
		offset += got;
		size -= got;
	}
	return true;
}

static bool header_at(const struct wb_elf_sections *sections, unsigned int index, Elf64_Shdr *header)
{
	return read_at(sections->fd, header, sizeof(*header), sections->table + (uint64_t)index * sizeof(*header));
}

int wb_elf_sections(int fd, struct wb_elf_sections *sections)
{
	unsigned int names;
	Elf64_Ehdr header;
	Elf64_Shdr first;

	if (!read_at(fd, &header, sizeof(header), 0) || memcmp(header.e_ident, ELFMAG, SELFMAG))
		return wb_refuse(LIBBPF_ERRNO__FORMAT, "it is neither BTF nor an ELF file");
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
		return wb_refuse(LIBBPF_ERRNO__FORMAT, "types are read from ELF files of 64 bits, little-endian, and this is another");
	*sections = (struct wb_elf_sections){ .fd = fd, .table = header.e_shoff, .count = header.e_shnum };
	if (!header.e_shoff || header.e_shentsize != sizeof(first) || !header_at(sections, 0, &first))
		return wb_refuse(LIBBPF_ERRNO__FORMAT, "the ELF file has no headers of sections");
	// Numbers that are too large for the header are in the first section's.
	if (!sections->count)
		sections->count = first.sh_size;
	names = header.e_shstrndx == 0xffff ? first.sh_link : header.e_shstrndx;
	if (names >= sections->count || !header_at(sections, names, &first))
		return wb_refuse(LIBBPF_ERRNO__FORMAT, "the ELF file has no names of sections");
	sections->names = first.sh_offset;
	sections->names_size = first.sh_size;
	return 0;
}

int wb_elf_read_section(const struct wb_elf_sections *sections, const char *name, void **contents, size_t *size)
{
	const size_t length = strlen(name) + 1;
	Elf64_Shdr header;
	char found[16];

	*contents = NULL;
	*size = 0;
	for (unsigned int i = 1; i < sections->count; i++) {
		if (!header_at(sections, i, &header))
			return wb_refuse(LIBBPF_ERRNO__FORMAT, "the ELF file is cut off in its headers of sections");
		if (header.sh_name > sections->names_size || length > sections->names_size - header.sh_name || length > sizeof(found) ||
		    !read_at(sections->fd, found, length, sections->names + header.sh_name) || memcmp(found, name, length))
			continue;
		if (header.sh_type != SHT_PROGBITS)
			return wb_refuse(LIBBPF_ERRNO__FORMAT, "the section %s is of the kind %u", name, header.sh_type);
		// The size is the file's word: it is read in steps, so that one that is not there takes no memory.
		while (*size < header.sh_size) {
			size_t step = header.sh_size - *size < 1 << 20 ? header.sh_size - *size : 1 << 20;
			void *moved = realloc(*contents, *size + step);

			if (!moved || !read_at(sections->fd, (char *)moved + *size, step, header.sh_offset + *size)) {
				free(moved ? moved : *contents);
				*contents = NULL;
				return moved ? wb_refuse(LIBBPF_ERRNO__FORMAT, "the ELF file ends in its section %s", name) : -ENOMEM;
			}
			*contents = moved;
			*size += step;
		}
		if (!*size)
			return wb_refuse(LIBBPF_ERRNO__FORMAT, "the section %s is empty", name);
		return 0;
	}
	return 0;
}
