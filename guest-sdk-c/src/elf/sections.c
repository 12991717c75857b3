// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sections and what is in them.
#include <stdlib.h>
#include <string.h>

#include "elf/elf.h"

int elf_getshdrnum(Elf *elf, size_t *count)
{
	if (elf_kind(elf) != ELF_K_ELF)
		return -1;
	*count = elf->section_count;
	return 0;
}

int elf_getshdrstrndx(Elf *elf, size_t *index)
{
	if (elf_kind(elf) != ELF_K_ELF)
		return -1;
	*index = elf->names;
	return 0;
}

int elf_getphdrnum(Elf *elf, size_t *count)
{
	if (elf_kind(elf) != ELF_K_ELF)
		return -1;
	*count = elf->segment_count;
	return 0;
}

Elf_Scn *elf_getscn(Elf *elf, size_t index)
{
	if (elf_kind(elf) != ELF_K_ELF || index >= elf->section_count)
		return wb_elf_fail(WB_ELF_INDEX);
	return &elf->sections[index];
}

// The first section, which says nothing, is left out.
Elf_Scn *elf_nextscn(Elf *elf, Elf_Scn *section)
{
	size_t next = section ? section->index + 1 : 1;

	if (!elf && section)
		elf = section->elf;
	return elf_kind(elf) == ELF_K_ELF && next < elf->section_count ? &elf->sections[next] : NULL;
}

size_t elf_ndxscn(Elf_Scn *section)
{
	return section ? section->index : SHN_UNDEF;
}

static Elf_Type type_of(uint32_t type)
{
	switch (type) {
	case SHT_SYMTAB:
	case SHT_DYNSYM:
		return ELF_T_SYM;
	case SHT_REL:
		return ELF_T_REL;
	case SHT_RELA:
		return ELF_T_RELA;
	case SHT_DYNAMIC:
		return ELF_T_DYN;
	}
	return ELF_T_BYTE;
}

Elf_Data *elf_getdata(Elf_Scn *section, Elf_Data *data)
{
	const Elf64_Shdr *header;

	if (!section || data)
		return NULL;
	header = &section->header;
	if (section->has_data)
		return &section->data.data;
	if (header->sh_size > SIZE_MAX)
		return wb_elf_fail(WB_ELF_NO_MEMORY);
	section->data.data = (Elf_Data){ .d_type = type_of(header->sh_type), .d_version = EV_CURRENT, .d_size = header->sh_size,
		.d_align = header->sh_addralign };
	section->data.elf = section->elf;
	if (header->sh_type != SHT_NOBITS && header->sh_type != SHT_NULL && header->sh_size) {
		section->data.data.d_buf = wb_elf_read(section->elf, header->sh_offset, header->sh_size);
		if (!section->data.data.d_buf)
			return NULL;
	}
	section->has_data = true;
	return &section->data.data;
}

Elf_Data *elf_rawdata(Elf_Scn *section, Elf_Data *data)
{
	return elf_getdata(section, data);
}

char *elf_strptr(Elf *elf, size_t section, size_t offset)
{
	Elf_Scn *strings = elf_getscn(elf, section);
	Elf_Data *data;

	if (!strings)
		return NULL;
	if (strings->header.sh_type != SHT_STRTAB)
		return wb_elf_fail(WB_ELF_NO_STRINGS);
	data = elf_getdata(strings, NULL);
	if (!data)
		return NULL;
	// There is a zero behind the section, so that the last string ends in any case.
	if (!data->d_buf || offset >= data->d_size)
		return wb_elf_fail(WB_ELF_INDEX);
	return (char *)data->d_buf + offset;
}

Elf64_Ehdr *elf64_getehdr(Elf *elf)
{
	if (elf_kind(elf) != ELF_K_ELF || !elf->is_64)
		return wb_elf_fail(WB_ELF_OTHER_CLASS);
	return &elf->header;
}

Elf64_Shdr *elf64_getshdr(Elf_Scn *section)
{
	if (!section || !section->elf->is_64)
		return wb_elf_fail(WB_ELF_OTHER_CLASS);
	return &section->header;
}

Elf64_Phdr *elf64_getphdr(Elf *elf)
{
	if (elf_kind(elf) != ELF_K_ELF || !elf->is_64)
		return wb_elf_fail(WB_ELF_OTHER_CLASS);
	return elf->segments;
}
