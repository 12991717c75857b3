/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* In place of wasi-libc's, with Linux' layout. */
#ifndef WASM_BPF_STRUCT_SOCKADDR_IN_H
#define WASM_BPF_STRUCT_SOCKADDR_IN_H

#include <__typedef_sa_family_t.h>
#include <__typedef_in_port_t.h>
#include <__struct_in_addr.h>

struct sockaddr_in {
	sa_family_t sin_family;
	in_port_t sin_port;
	struct in_addr sin_addr;
	unsigned char sin_zero[8];
};

#endif
