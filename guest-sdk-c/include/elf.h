/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The layout of object files: the kernel's definitions, and what it leaves out. */
#ifndef WASM_BPF_ELF_H
#define WASM_BPF_ELF_H

#include <stdint.h>

#include <linux/elf.h>

typedef uint16_t Elf32_Section;
typedef uint16_t Elf64_Section;
typedef uint16_t Elf32_Versym;
typedef uint16_t Elf64_Versym;

#ifndef EI_ABIVERSION
#define EI_ABIVERSION 8
#endif
#ifndef EV_NUM
#define EV_NUM 2
#endif
#ifndef ELFCLASSNUM
#define ELFCLASSNUM 3
#endif

#define SHT_INIT_ARRAY 14
#define SHT_FINI_ARRAY 15
#define SHT_PREINIT_ARRAY 16
#define SHT_GROUP 17
#define SHT_SYMTAB_SHNDX 18
#define SHT_GNU_HASH 0x6ffffff6
#define SHT_GNU_verdef 0x6ffffffd
#define SHT_GNU_verneed 0x6ffffffe
#define SHT_GNU_versym 0x6fffffff

#define SHF_MERGE (1 << 4)
#define SHF_STRINGS (1 << 5)
#define SHF_INFO_LINK (1 << 6)
#define SHF_LINK_ORDER (1 << 7)
#define SHF_GROUP (1 << 9)
#define SHF_TLS (1 << 10)
#define SHF_COMPRESSED (1 << 11)

#define SHN_XINDEX 0xffff

#ifndef STB_NUM
#define STB_NUM 3
#endif
#define STB_GNU_UNIQUE 10
#define STT_NUM 7
#define STT_GNU_IFUNC 10
#define STV_DEFAULT 0
#define STV_INTERNAL 1
#define STV_HIDDEN 2
#define STV_PROTECTED 3

#undef ELF32_ST_BIND
#undef ELF32_ST_TYPE
#undef ELF64_ST_BIND
#undef ELF64_ST_TYPE
#define ELF32_ST_BIND(info) (((unsigned char)(info)) >> 4)
#define ELF32_ST_TYPE(info) ((info) & 0xf)
#define ELF32_ST_INFO(bind, type) (((bind) << 4) + ((type) & 0xf))
#define ELF64_ST_BIND(info) ELF32_ST_BIND(info)
#define ELF64_ST_TYPE(info) ELF32_ST_TYPE(info)
#define ELF64_ST_INFO(bind, type) ELF32_ST_INFO(bind, type)
#define ELF32_ST_VISIBILITY(other) ((other) & 3)
#define ELF64_ST_VISIBILITY(other) ((other) & 3)
#define ELF32_R_INFO(symbol, type) (((symbol) << 8) + ((type) & 0xff))
#define ELF64_R_INFO(symbol, type) ((((Elf64_Xword)(symbol)) << 32) + (type))

#define NT_GNU_ABI_TAG 1
#define NT_GNU_HWCAP 2
#define NT_GNU_BUILD_ID 3
#define NT_GNU_GOLD_VERSION 4
#define NT_STAPSDT 3
#define ELF_NOTE_GNU "GNU"

#endif
