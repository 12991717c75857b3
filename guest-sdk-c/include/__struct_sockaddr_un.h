/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* In place of wasi-libc's, with Linux' layout. */
#ifndef WASM_BPF_STRUCT_SOCKADDR_UN_H
#define WASM_BPF_STRUCT_SOCKADDR_UN_H

#include <__typedef_sa_family_t.h>

struct sockaddr_un {
	sa_family_t sun_family;
	char sun_path[108];
};

#endif
