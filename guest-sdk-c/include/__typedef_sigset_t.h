/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* In place of wasi-libc's, which has no room for signals. */
#ifndef WASM_BPF_TYPEDEF_SIGSET_T_H
#define WASM_BPF_TYPEDEF_SIGSET_T_H

typedef struct {
	unsigned long long __bits;
} sigset_t;

#endif
