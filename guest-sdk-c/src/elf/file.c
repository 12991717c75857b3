// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Opening a file: its header, and the tables of sections and segments.
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elf/elf.h"

// Tables and sections of more are no file that a guest could hold.
#define MOST (1u << 30)

void *wb_elf_read(const Elf *elf, uint64_t offset, uint64_t size)
{
	uint64_t done = 0;
	char *out;

	if (offset > elf->size || size > elf->size - offset)
		return wb_elf_fail(WB_ELF_BROKEN);
	out = size < MOST ? malloc(size + 1) : NULL;
	if (!out)
		return wb_elf_fail(WB_ELF_NO_MEMORY);
	if (elf->image)
		memcpy(out, elf->image + offset, size);
	while (!elf->image && done < size) {
		ssize_t got = pread(elf->fd, out + done, size - done, offset + done);

		if (got <= 0) {
			free(out);
			return wb_elf_fail(WB_ELF_CANNOT_READ);
		}
		done += got;
	}
	out[size] = 0;
	return out;
}

static void header_of(Elf *elf, const void *from)
{
	const Elf32_Ehdr *small = from;

	if (elf->is_64) {
		memcpy(&elf->header, from, sizeof(elf->header));
		return;
	}
	elf->header = (Elf64_Ehdr){
		.e_type = small->e_type, .e_machine = small->e_machine, .e_version = small->e_version, .e_entry = small->e_entry,
		.e_phoff = small->e_phoff,
		.e_shoff = small->e_shoff, .e_flags = small->e_flags, .e_ehsize = small->e_ehsize,
		.e_phentsize = small->e_phentsize, .e_phnum = small->e_phnum,
		.e_shentsize = small->e_shentsize, .e_shnum = small->e_shnum, .e_shstrndx = small->e_shstrndx,
	};
	memcpy(elf->header.e_ident, small->e_ident, EI_NIDENT);
}

static Elf64_Shdr section_of(const Elf *elf, const void *from)
{
	Elf64_Shdr large;
	Elf32_Shdr small;

	if (elf->is_64) {
		memcpy(&large, from, sizeof(large));
		return large;
	}
	memcpy(&small, from, sizeof(small));
	return (Elf64_Shdr){
		.sh_name = small.sh_name, .sh_type = small.sh_type, .sh_flags = small.sh_flags, .sh_addr = small.sh_addr,
		.sh_offset = small.sh_offset,
		.sh_size = small.sh_size, .sh_link = small.sh_link, .sh_info = small.sh_info, .sh_addralign = small.sh_addralign,
		.sh_entsize = small.sh_entsize,
	};
}

static bool read_sections(Elf *elf)
{
	const size_t size = elf->is_64 ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr);
	uint64_t count = elf->header.e_shnum;
	Elf64_Shdr first;
	char *table;

	elf->names = elf->header.e_shstrndx;
	if (!elf->header.e_shoff)
		return true;
	if (elf->header.e_shentsize != size)
		return wb_elf_fail(WB_ELF_BROKEN);
	// Numbers that do not fit into the header are in the first section.
	table = wb_elf_read(elf, elf->header.e_shoff, size);
	if (!table)
		return false;
	first = section_of(elf, table);
	free(table);
	if (!count)
		count = first.sh_size;
	if (elf->names == SHN_XINDEX)
		elf->names = first.sh_link;
	if (count > elf->size / size)
		return wb_elf_fail(WB_ELF_BROKEN);
	table = wb_elf_read(elf, elf->header.e_shoff, count * size);
	elf->sections = table ? calloc(count + 1, sizeof(*elf->sections)) : NULL;
	if (!elf->sections) {
		free(table);
		return false;
	}
	elf->section_count = count;
	for (size_t i = 0; i < count; i++) {
		elf->sections[i].elf = elf;
		elf->sections[i].index = i;
		elf->sections[i].header = section_of(elf, table + i * size);
	}
	free(table);
	return true;
}

static bool read_segments(Elf *elf)
{
	const size_t size = elf->is_64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	uint64_t count = elf->header.e_phnum;
	char *table;

	if (count == 0xffff && elf->section_count)
		count = elf->sections[0].header.sh_info;
	if (!elf->header.e_phoff || !count)
		return true;
	if (elf->header.e_phentsize != size || count > elf->size / size)
		return wb_elf_fail(WB_ELF_BROKEN);
	table = wb_elf_read(elf, elf->header.e_phoff, count * size);
	elf->segments = table ? calloc(count, sizeof(*elf->segments)) : NULL;
	if (!elf->segments) {
		free(table);
		return false;
	}
	elf->segment_count = count;
	for (size_t i = 0; i < count; i++) {
		const Elf32_Phdr *small = (const void *)(table + i * size);

		if (elf->is_64)
			memcpy(&elf->segments[i], table + i * size, size);
		else
			elf->segments[i] = (Elf64_Phdr){
				.p_type = small->p_type, .p_flags = small->p_flags, .p_offset = small->p_offset, .p_vaddr = small->p_vaddr,
				.p_paddr = small->p_paddr, .p_filesz = small->p_filesz, .p_memsz = small->p_memsz,
				.p_align = small->p_align,
			};
	}
	free(table);
	return true;
}

// What is no object file is opened as well: elf_kind() tells.
static bool read_header(Elf *elf)
{
	size_t size = elf->size < sizeof(Elf64_Ehdr) ? elf->size : sizeof(Elf64_Ehdr);
	char *from = wb_elf_read(elf, 0, size);

	if (!from)
		return false;
	memcpy(elf->ident, from, size < EI_NIDENT ? size : EI_NIDENT);
	if (size < EI_NIDENT || memcmp(from, ELFMAG, SELFMAG) || (from[EI_CLASS] != ELFCLASS32 && from[EI_CLASS] != ELFCLASS64)) {
		free(from);
		return true;
	}
	elf->is_64 = from[EI_CLASS] == ELFCLASS64;
	if (from[EI_DATA] != ELFDATA2LSB || size < (elf->is_64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr))) {
		wb_elf_fail(from[EI_DATA] == ELFDATA2MSB ? WB_ELF_BIG_ENDIAN : WB_ELF_BROKEN);
		free(from);
		return false;
	}
	header_of(elf, from);
	free(from);
	elf->kind = ELF_K_ELF;
	return read_sections(elf) && read_segments(elf);
}

static Elf *begin(Elf from)
{
	Elf *elf = malloc(sizeof(*elf));

	if (!elf)
		return wb_elf_fail(WB_ELF_NO_MEMORY);
	*elf = from;
	elf->references = 1;
	if (read_header(elf))
		return elf;
	elf_end(elf);
	return NULL;
}

Elf *elf_begin(int fd, Elf_Cmd command, Elf *reference)
{
	struct stat status;

	if (command != ELF_C_READ && command != ELF_C_READ_MMAP && command != ELF_C_READ_MMAP_PRIVATE)
		return wb_elf_fail(WB_ELF_COMMAND);
	if (reference) {
		reference->references++;
		return reference;
	}
	if (fstat(fd, &status))
		return wb_elf_fail(WB_ELF_CANNOT_READ);
	return begin((Elf){ .fd = fd, .size = status.st_size });
}

Elf *elf_memory(char *image, size_t size)
{
	if (!image)
		return wb_elf_fail(WB_ELF_CANNOT_READ);
	return begin((Elf){ .fd = -1, .image = image, .size = size });
}

int elf_end(Elf *elf)
{
	if (!elf)
		return 0;
	if (--elf->references)
		return elf->references;
	for (size_t i = 0; i < elf->section_count; i++)
		free(elf->sections[i].data.data.d_buf);
	free(elf->sections);
	free(elf->segments);
	free(elf);
	return 0;
}

Elf_Kind elf_kind(Elf *elf)
{
	return elf ? elf->kind : ELF_K_NONE;
}

char *elf_getident(Elf *elf, size_t *size)
{
	bool has = elf && elf->kind == ELF_K_ELF;

	if (size)
		*size = has ? EI_NIDENT : 0;
	return has ? elf->ident : NULL;
}
