/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The kernel's header takes a machine with pointers of 32 bits for another one. */
#ifndef WASM_BPF_ASM_UNISTD_H
#define WASM_BPF_ASM_UNISTD_H

#if __has_include(<asm/unistd_64.h>)
#include <asm/unistd_64.h>
#else
#include_next <asm/unistd.h>
#endif

#endif
