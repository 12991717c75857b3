/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* In place of wasi-libc's, with Linux' layout. */
#ifndef WASM_BPF_STRUCT_SOCKADDR_STORAGE_H
#define WASM_BPF_STRUCT_SOCKADDR_STORAGE_H

#include <__typedef_sa_family_t.h>

struct sockaddr_storage {
	sa_family_t ss_family;
	char __ss_padding[118];
	unsigned long long __ss_align;
};

#endif
