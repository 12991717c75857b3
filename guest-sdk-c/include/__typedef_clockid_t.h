/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* In place of wasi-libc's, whose clocks are pointers: programs keep them in integers and give them to BPF. */
#ifndef WASM_BPF_TYPEDEF_CLOCKID_T_H
#define WASM_BPF_TYPEDEF_CLOCKID_T_H

typedef int clockid_t;

#endif
