/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Numbers of system calls of the machine that the guest was built on, as programs for 64 bits have them. */
#ifndef WASM_BPF_SYS_SYSCALL_H
#define WASM_BPF_SYS_SYSCALL_H

#include <asm/unistd.h>
#include <bits/syscall_names.h>

#endif
