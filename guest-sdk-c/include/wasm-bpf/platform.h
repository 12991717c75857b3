/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/*
 * How the headers of this folder stand before those of wasi-libc. Programs for Linux mean Linux' numbers (errno, open flags,
 * address families) and functions that WASI lacks; a header of ours takes wasi-libc's and puts right what differs.
 */
#ifndef WASM_BPF_PLATFORM_H
#define WASM_BPF_PLATFORM_H

#ifdef __cplusplus
#define WB_BEGIN extern "C" {
#define WB_END }
#else
#define WB_BEGIN
#define WB_END
#endif

/* A function whose code is the library's, under another name than wasi-libc's of the same name has. */
#define WB_CALLS(symbol) __asm__(#symbol)

/* A function that no guest can have: a warning where it is called, ENOSYS and a line on stderr when it is. */
#if defined(__has_attribute) && __has_attribute(warning)
#define WB_CANNOT(message) __attribute__((warning(message)))
#else
#define WB_CANNOT(message) __attribute__((deprecated(message)))
#endif

#endif
