/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* In place of wasi-libc's, whose address has no parts of 16 and 32 bits. */
#ifndef WASM_BPF_STRUCT_IN6_ADDR_H
#define WASM_BPF_STRUCT_IN6_ADDR_H

#include <stdint.h>

struct in6_addr {
	union {
		uint8_t __s6_addr[16];
		uint16_t __s6_addr16[8];
		uint32_t __s6_addr32[4];
	} __in6_u;
};
#define s6_addr __in6_u.__s6_addr
#define s6_addr16 __in6_u.__s6_addr16
#define s6_addr32 __in6_u.__s6_addr32

#endif
