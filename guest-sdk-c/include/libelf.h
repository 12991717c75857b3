/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/*
 * The part of libelf that tools find symbols with: object files of 32 and 64 bits in little-endian order, read section by section
 * from an fd (which has to stay open) or from memory. Nothing is written; archives and compressed sections are not unpacked.
 */
#ifndef WASM_BPF_LIBELF_H
#define WASM_BPF_LIBELF_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <elf.h>
#include <wasm-bpf/platform.h>

typedef enum { ELF_C_NULL, ELF_C_READ, ELF_C_RDWR, ELF_C_WRITE, ELF_C_CLR, ELF_C_SET, ELF_C_FDDONE, ELF_C_FDREAD, ELF_C_READ_MMAP,
	ELF_C_RDWR_MMAP, ELF_C_WRITE_MMAP, ELF_C_READ_MMAP_PRIVATE, ELF_C_EMPTY, ELF_C_NUM } Elf_Cmd;

typedef enum { ELF_K_NONE, ELF_K_AR, ELF_K_COFF, ELF_K_ELF, ELF_K_NUM } Elf_Kind;

typedef enum { ELF_T_BYTE, ELF_T_ADDR, ELF_T_DYN, ELF_T_EHDR, ELF_T_HALF, ELF_T_OFF, ELF_T_PHDR, ELF_T_RELA, ELF_T_REL, ELF_T_SHDR,
	ELF_T_SWORD, ELF_T_SYM, ELF_T_WORD, ELF_T_XWORD, ELF_T_SXWORD, ELF_T_NUM } Elf_Type;

typedef struct {
	void *d_buf;
	Elf_Type d_type;
	unsigned int d_version;
	size_t d_size;
	int64_t d_off;
	size_t d_align;
} Elf_Data;

typedef struct Elf Elf;
typedef struct Elf_Scn Elf_Scn;

WB_BEGIN

unsigned int elf_version(unsigned int version);
/* Commands: ELF_C_READ and its kin of mmap; NULL, and elf_errno(), for others. */
Elf *elf_begin(int fd, Elf_Cmd command, Elf *reference);
/* The memory stays the caller's, and has to be there as long. */
Elf *elf_memory(char *image, size_t size);
/* How many references to it are left. */
int elf_end(Elf *elf);
Elf_Kind elf_kind(Elf *elf);
/* The first EI_NIDENT bytes of the file. */
char *elf_getident(Elf *elf, size_t *size);
int elf_errno(void);
/* Of an error number; 0: of the last error, NULL if there was none; -1: the same, with a text in any case. */
const char *elf_errmsg(int error);

int elf_getshdrnum(Elf *elf, size_t *count);
int elf_getshdrstrndx(Elf *elf, size_t *index);
int elf_getphdrnum(Elf *elf, size_t *count);
Elf_Scn *elf_getscn(Elf *elf, size_t index);
Elf_Scn *elf_nextscn(Elf *elf, Elf_Scn *section);
size_t elf_ndxscn(Elf_Scn *section);
/* A section has one piece of data: with one given there is no more. */
Elf_Data *elf_getdata(Elf_Scn *section, Elf_Data *data);
Elf_Data *elf_rawdata(Elf_Scn *section, Elf_Data *data);
char *elf_strptr(Elf *elf, size_t section, size_t offset);
/* Of files of 64 bits; NULL for others. */
Elf64_Ehdr *elf64_getehdr(Elf *elf);
Elf64_Shdr *elf64_getshdr(Elf_Scn *section);
Elf64_Phdr *elf64_getphdr(Elf *elf);

WB_END

#endif
