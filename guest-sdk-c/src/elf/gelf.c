// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Both sizes of files in the structs of the larger.
#include <stddef.h>
#include <string.h>

#include "elf/elf.h"

int gelf_getclass(Elf *elf)
{
	if (elf_kind(elf) != ELF_K_ELF)
		return ELFCLASSNONE;
	return elf->is_64 ? ELFCLASS64 : ELFCLASS32;
}

GElf_Ehdr *gelf_getehdr(Elf *elf, GElf_Ehdr *header)
{
	if (elf_kind(elf) != ELF_K_ELF)
		return wb_elf_fail(WB_ELF_BROKEN);
	*header = elf->header;
	return header;
}

GElf_Shdr *gelf_getshdr(Elf_Scn *section, GElf_Shdr *header)
{
	if (!section)
		return NULL;
	*header = section->header;
	return header;
}

GElf_Phdr *gelf_getphdr(Elf *elf, int index, GElf_Phdr *header)
{
	if (elf_kind(elf) != ELF_K_ELF || index < 0 || (size_t)index >= elf->segment_count)
		return wb_elf_fail(WB_ELF_INDEX);
	*header = elf->segments[index];
	return header;
}

// The entry of this number, in a file of 64 or 32 bits; NULL if there is none.
static const void *entry_of(const Elf_Data *data, int index, size_t large, size_t small, bool *is_64)
{
	const struct wb_elf_data *whole = (const void *)data;
	size_t size;

	if (!data)
		return NULL;
	*is_64 = whole->elf->is_64;
	size = *is_64 ? large : small;
	if (index < 0 || !data->d_buf || (size_t)index >= data->d_size / size)
		return wb_elf_fail(WB_ELF_INDEX);
	return (const char *)data->d_buf + (size_t)index * size;
}

GElf_Sym *gelf_getsym(Elf_Data *data, int index, GElf_Sym *symbol)
{
	bool is_64;
	const void *from = entry_of(data, index, sizeof(Elf64_Sym), sizeof(Elf32_Sym), &is_64);
	Elf32_Sym small;

	if (!from)
		return NULL;
	if (is_64) {
		memcpy(symbol, from, sizeof(*symbol));
		return symbol;
	}
	memcpy(&small, from, sizeof(small));
	*symbol = (GElf_Sym){ small.st_name, small.st_info, small.st_other, small.st_shndx, small.st_value, small.st_size };
	return symbol;
}

GElf_Rel *gelf_getrel(Elf_Data *data, int index, GElf_Rel *relocation)
{
	bool is_64;
	const void *from = entry_of(data, index, sizeof(Elf64_Rel), sizeof(Elf32_Rel), &is_64);
	Elf32_Rel small;

	if (!from)
		return NULL;
	if (is_64) {
		memcpy(relocation, from, sizeof(*relocation));
		return relocation;
	}
	memcpy(&small, from, sizeof(small));
	*relocation = (GElf_Rel){ small.r_offset, ELF64_R_INFO(ELF32_R_SYM(small.r_info), ELF32_R_TYPE(small.r_info)) };
	return relocation;
}

GElf_Rela *gelf_getrela(Elf_Data *data, int index, GElf_Rela *relocation)
{
	bool is_64;
	const void *from = entry_of(data, index, sizeof(Elf64_Rela), sizeof(Elf32_Rela), &is_64);
	Elf32_Rela small;

	if (!from)
		return NULL;
	if (is_64) {
		memcpy(relocation, from, sizeof(*relocation));
		return relocation;
	}
	memcpy(&small, from, sizeof(small));
	*relocation = (GElf_Rela){ small.r_offset, ELF64_R_INFO(ELF32_R_SYM(small.r_info), ELF32_R_TYPE(small.r_info)), small.r_addend };
	return relocation;
}

GElf_Dyn *gelf_getdyn(Elf_Data *data, int index, GElf_Dyn *entry)
{
	bool is_64;
	const void *from = entry_of(data, index, sizeof(Elf64_Dyn), sizeof(Elf32_Dyn), &is_64);
	Elf32_Dyn small;

	if (!from)
		return NULL;
	if (is_64) {
		memcpy(entry, from, sizeof(*entry));
		return entry;
	}
	memcpy(&small, from, sizeof(small));
	entry->d_tag = small.d_tag;
	entry->d_un.d_val = small.d_un.d_val;
	return entry;
}

size_t gelf_getnote(Elf_Data *data, size_t offset, GElf_Nhdr *note, size_t *name, size_t *descriptor)
{
	const size_t align = data && data->d_align == 8 ? 8 : 4;
	size_t size;

	if (!data || !data->d_buf || offset > data->d_size || data->d_size - offset < sizeof(*note))
		return 0;
	memcpy(note, (const char *)data->d_buf + offset, sizeof(*note));
	size = data->d_size;
	*name = offset + sizeof(*note);
	if (note->n_namesz > size - *name)
		return 0;
	*descriptor = (*name + note->n_namesz + align - 1) & ~(align - 1);
	if (*descriptor > size || note->n_descsz > size - *descriptor)
		return 0;
	offset = (*descriptor + note->n_descsz + align - 1) & ~(align - 1);
	return offset > size ? size : offset;
}
