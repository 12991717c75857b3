/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/*
 * Linux' error numbers. wasi-libc has others, and BPF programs, events and rodata carry Linux': -ENOENT has to mean the same on
 * both sides. What wasi-libc left in its own errno is translated when errno is next looked at.
 */
#ifndef WASM_BPF_ERRNO_H
#define WASM_BPF_ERRNO_H

#include <features.h>
#include <asm-generic/errno.h>

#include <wasm-bpf/platform.h>

#define ENOTSUP EOPNOTSUPP

WB_BEGIN

int *wb_errno_location(void);
#define errno (*wb_errno_location())

#ifdef _GNU_SOURCE
extern char *program_invocation_short_name, *program_invocation_name;
#ifndef __error_t_defined
#define __error_t_defined 1
typedef int error_t;
#endif
#endif

WB_END

#endif
