// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// libelf: the symbols, sections and segments of a binary of this machine, from a file and from memory, and files that are none.
// needs: --dir /tmp
#define _GNU_SOURCE
#include <fcntl.h>
#include <gelf.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "object.skel.h"

static Elf_Scn *section_of(Elf *elf, const char *name, GElf_Shdr *header)
{
	Elf_Scn *section = NULL;
	size_t names;

	CHECK_IS(elf_getshdrstrndx(elf, &names), 0);
	while ((section = elf_nextscn(elf, section))) {
		CHECK(gelf_getshdr(section, header) == header);
		if (!strcmp(elf_strptr(elf, names, header->sh_name), name))
			return section;
	}
	return NULL;
}

// As tools look for the offset of a function.
static bool find_symbol(Elf *elf, const char *name, GElf_Sym *found)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(elf, section))) {
		Elf_Data *data = NULL;

		CHECK(gelf_getshdr(section, &header));
		if (header.sh_type != SHT_SYMTAB && header.sh_type != SHT_DYNSYM)
			continue;
		while ((data = elf_getdata(section, data)))
			for (size_t i = 0; gelf_getsym(data, i, found); i++)
				if (!strcmp(elf_strptr(elf, header.sh_link, found->st_name), name))
					return true;
	}
	return false;
}

static void check_object(Elf *elf)
{
	GElf_Ehdr file;
	GElf_Shdr header, linked;
	GElf_Sym symbol;
	GElf_Rel relocation;
	Elf_Scn *section;
	Elf_Data *data;
	size_t count, size;

	CHECK_IS(elf_kind(elf), ELF_K_ELF);
	CHECK_IS(gelf_getclass(elf), ELFCLASS64);
	CHECK(gelf_getehdr(elf, &file) == &file);
	CHECK_IS(file.e_machine, EM_BPF);
	CHECK_IS(file.e_type, ET_REL);
	CHECK_IS(elf64_getehdr(elf)->e_shnum, file.e_shnum);
	CHECK_IS(elf_getshdrnum(elf, &count), 0);
	CHECK_IS(count, file.e_shnum);
	CHECK(!memcmp(elf_getident(elf, &size), ELFMAG, SELFMAG) && size == EI_NIDENT);
	CHECK_IS(elf_getphdrnum(elf, &size), 0);
	CHECK_IS(size, 0);

	section = section_of(elf, "license", &header);
	CHECK(section);
	data = elf_getdata(section, NULL);
	CHECK(data);
	CHECK_TEXT(data->d_buf, "GPL");
	CHECK_IS(data->d_size, header.sh_size);
	CHECK(!elf_getdata(section, data));
	CHECK(elf_rawdata(section, NULL) == data);
	CHECK(elf_getscn(elf, elf_ndxscn(section)) == section);
	CHECK(!section_of(elf, "nowhere", &header));

	section = section_of(elf, ".bss", &header);
	CHECK(section && header.sh_type == SHT_NOBITS);
	data = elf_getdata(section, NULL);
	CHECK(data && !data->d_buf && data->d_size == header.sh_size);

	CHECK(find_symbol(elf, "_license", &symbol));
	CHECK_IS(GELF_ST_TYPE(symbol.st_info), STT_OBJECT);
	CHECK_IS(GELF_ST_BIND(symbol.st_info), STB_GLOBAL);
	CHECK_IS(symbol.st_size, 4);
	CHECK(!find_symbol(elf, "no such symbol", &symbol));

	// A relocation names a symbol that is there.
	for (section = elf_nextscn(elf, NULL); section; section = elf_nextscn(elf, section)) {
		gelf_getshdr(section, &header);
		if (header.sh_type != SHT_REL)
			continue;
		data = elf_getdata(section, NULL);
		CHECK(gelf_getrel(data, 0, &relocation) == &relocation);
		CHECK(!gelf_getrel(data, data->d_size / header.sh_entsize, &relocation));
		CHECK(gelf_getshdr(elf_getscn(elf, header.sh_link), &linked) && linked.sh_type == SHT_SYMTAB);
		CHECK(gelf_getsym(elf_getdata(elf_getscn(elf, header.sh_link), NULL), GELF_R_SYM(relocation.r_info), &symbol));
		break;
	}
	CHECK(section);
	CHECK(!elf_strptr(elf, 1000, 0));
	CHECK(elf_errno());
	CHECK(!elf_errno());
	CHECK(!elf_getscn(elf, count));
	CHECK(elf_errmsg(-1));
}

// A file of 32 bits with one section and one segment.
static void test_small(void)
{
	struct {
		Elf32_Ehdr header;
		Elf32_Phdr segment;
		Elf32_Shdr sections[3];
		Elf32_Sym symbols[2];
		char strings[16];
	} small = {
		.header = {
			.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_EXEC,
			.e_machine = EM_386, .e_version = EV_CURRENT,
			.e_phoff = offsetof(__typeof__(small), segment), .e_shoff = offsetof(__typeof__(small), sections),
			.e_ehsize = sizeof(Elf32_Ehdr),
			.e_phentsize = sizeof(Elf32_Phdr), .e_phnum = 1, .e_shentsize = sizeof(Elf32_Shdr), .e_shnum = 3, .e_shstrndx = 2,
		},
		.segment = { .p_type = PT_LOAD, .p_offset = 5, .p_vaddr = 0x1000, .p_filesz = 6, .p_memsz = 7, .p_flags = PF_X,
			.p_align = 4096 },
		.sections = {
			[1] = { .sh_name = 1, .sh_type = SHT_SYMTAB, .sh_offset = offsetof(__typeof__(small), symbols),
				.sh_size = sizeof(small.symbols), .sh_link = 2,
				.sh_entsize = sizeof(Elf32_Sym) },
			[2] = { .sh_name = 6, .sh_type = SHT_STRTAB, .sh_offset = offsetof(__typeof__(small), strings),
				.sh_size = sizeof(small.strings) },
		},
		.symbols = { [1] = { .st_name = 11, .st_value = 0x1234, .st_size = 9, .st_info = ELF32_ST_INFO(STB_WEAK, STT_FUNC),
			.st_shndx = 1 } },
		.strings = "\0syms\0strs\0func",
	};
	GElf_Phdr segment;
	GElf_Sym symbol;
	Elf *elf = elf_memory((char *)&small, sizeof(small));

	CHECK(elf);
	CHECK_IS(gelf_getclass(elf), ELFCLASS32);
	CHECK(!elf64_getehdr(elf));
	CHECK(gelf_getphdr(elf, 0, &segment));
	CHECK(segment.p_vaddr == 0x1000 && segment.p_filesz == 6 && segment.p_memsz == 7 && segment.p_flags == PF_X &&
		segment.p_align == 4096);
	CHECK(!gelf_getphdr(elf, 1, &segment));
	CHECK(find_symbol(elf, "func", &symbol));
	CHECK(symbol.st_value == 0x1234 && symbol.st_size == 9 && GELF_ST_TYPE(symbol.st_info) == STT_FUNC);
	CHECK_IS(elf_end(elf), 0);

	// Tables that do not lie in the file.
	small.header.e_shoff = sizeof(small);
	CHECK(!elf_memory((char *)&small, sizeof(small)));
	CHECK(elf_errno());
	small.header.e_shoff = offsetof(__typeof__(small), sections);
	small.sections[1].sh_offset = 0xfffffff0;
	elf = elf_memory((char *)&small, sizeof(small));
	CHECK(elf && !elf_getdata(elf_getscn(elf, 1), NULL));
	CHECK_IS(elf_end(elf), 0);
	small.header.e_ident[EI_DATA] = ELFDATA2MSB;
	CHECK(!elf_memory((char *)&small, sizeof(small)));
	CHECK(strstr(elf_errmsg(-1), "big-endian"));
}

int main(void)
{
	char path[] = "/tmp/wasm-bpf-elf-XXXXXX", other[] = "/tmp/wasm-bpf-elf-XXXXXX";
	struct stat status;
	const void *bytes;
	void *mapped;
	size_t size;
	Elf *elf;
	int fd;

	bytes = object_bpf__elf_bytes(&size);
	fd = mkstemp(other);
	CHECK(fd >= 0);
	CHECK_IS(write(fd, bytes, size), size);
	CHECK_IS(close(fd), 0);
	CHECK_IS(elf_version(EV_CURRENT), EV_CURRENT);
	CHECK_IS(elf_version(77), EV_NONE);
	fd = open(other, O_RDONLY);
	CHECK(fd >= 0);
	CHECK_IS(unlink(other), 0);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	CHECK(elf);
	check_object(elf);
	CHECK(elf_begin(fd, ELF_C_READ, elf) == elf);
	CHECK_IS(elf_end(elf), 1);
	CHECK_IS(elf_end(elf), 0);
	CHECK_IS(elf_end(NULL), 0);
	CHECK(!elf_begin(fd, ELF_C_WRITE, NULL));

	// The same by mmap().
	CHECK_IS(fstat(fd, &status), 0);
	mapped = mmap(NULL, status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(mapped != MAP_FAILED);
	CHECK_IS(close(fd), 0);
	elf = elf_memory(mapped, status.st_size);
	CHECK(elf);
	check_object(elf);
	CHECK_IS(elf_end(elf), 0);
	CHECK_IS(munmap(mapped, status.st_size), 0);
	CHECK(!elf_begin(fd, ELF_C_READ, NULL));

	test_small();

	// No object file: it is opened, and says so.
	fd = mkstemp(path);
	unlink(path);
	CHECK_IS(write(fd, "#!/bin/sh\n", 10), 10);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	CHECK(elf);
	CHECK_IS(elf_kind(elf), ELF_K_NONE);
	CHECK(!elf_getident(elf, NULL) && !elf_nextscn(elf, NULL));
	CHECK_IS(elf_end(elf), 0);
	close(fd);
	return 0;
}
