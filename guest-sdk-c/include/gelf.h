/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Object files of both sizes in the structs of the larger. */
#ifndef WASM_BPF_GELF_H
#define WASM_BPF_GELF_H

#include <libelf.h>

typedef Elf64_Half GElf_Half;
typedef Elf64_Word GElf_Word;
typedef Elf64_Sword GElf_Sword;
typedef Elf64_Xword GElf_Xword;
typedef Elf64_Sxword GElf_Sxword;
typedef Elf64_Addr GElf_Addr;
typedef Elf64_Off GElf_Off;
typedef Elf64_Ehdr GElf_Ehdr;
typedef Elf64_Shdr GElf_Shdr;
typedef Elf64_Phdr GElf_Phdr;
typedef Elf64_Sym GElf_Sym;
typedef Elf64_Rel GElf_Rel;
typedef Elf64_Rela GElf_Rela;
typedef Elf64_Dyn GElf_Dyn;
typedef Elf64_Nhdr GElf_Nhdr;

#define GELF_ST_BIND(info) ELF64_ST_BIND(info)
#define GELF_ST_TYPE(info) ELF64_ST_TYPE(info)
#define GELF_ST_INFO(bind, type) ELF64_ST_INFO(bind, type)
#define GELF_ST_VISIBILITY(other) ELF64_ST_VISIBILITY(other)
#define GELF_R_SYM(info) ELF64_R_SYM(info)
#define GELF_R_TYPE(info) ELF64_R_TYPE(info)
#define GELF_R_INFO(symbol, type) ELF64_R_INFO(symbol, type)

WB_BEGIN

/* ELFCLASS32 or ELFCLASS64; ELFCLASSNONE if it is no object file. */
int gelf_getclass(Elf *elf);
GElf_Ehdr *gelf_getehdr(Elf *elf, GElf_Ehdr *header);
GElf_Shdr *gelf_getshdr(Elf_Scn *section, GElf_Shdr *header);
GElf_Phdr *gelf_getphdr(Elf *elf, int index, GElf_Phdr *header);
/* Of the data of a section of such entries. */
GElf_Sym *gelf_getsym(Elf_Data *data, int index, GElf_Sym *symbol);
GElf_Rel *gelf_getrel(Elf_Data *data, int index, GElf_Rel *relocation);
GElf_Rela *gelf_getrela(Elf_Data *data, int index, GElf_Rela *relocation);
GElf_Dyn *gelf_getdyn(Elf_Data *data, int index, GElf_Dyn *entry);
/* Where the next note begins, or 0; name and descriptor lie at the offsets that are told. */
size_t gelf_getnote(Elf_Data *data, size_t offset, GElf_Nhdr *note, size_t *name, size_t *descriptor);

WB_END

#endif
