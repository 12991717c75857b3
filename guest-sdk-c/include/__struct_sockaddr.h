/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* In place of wasi-libc's, with Linux' layout. */
#ifndef WASM_BPF_STRUCT_SOCKADDR_H
#define WASM_BPF_STRUCT_SOCKADDR_H

#include <__typedef_sa_family_t.h>

struct sockaddr {
	sa_family_t sa_family;
	char sa_data[14];
};

#endif
