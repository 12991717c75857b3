/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#ifndef WASM_BPF_STRING_H
#define WASM_BPF_STRING_H

#include <wasm-bpf/platform.h>

#define strerror_r wb_hidden_strerror_r
#include_next <string.h>
#undef strerror_r

WB_BEGIN

/* In the words of glibc, for Linux' error numbers. */
char *strerror(int error) WB_CALLS(wb_strerror);

#if defined(_GNU_SOURCE)
/* GNU's: returns the text, which may lie in `text` or elsewhere. */
char *strerror_r(int error, char *text, size_t size) WB_CALLS(wb_gnu_strerror_r);
const char *strerrordesc_np(int error);
const char *strerrorname_np(int error);
#ifndef basename
#define WB_GNU_BASENAME
/* GNU's: changes nothing, and is empty for a path that ends with a slash. <libgen.h> has POSIX' in place of it. */
char *basename(const char *path) WB_CALLS(wb_gnu_basename);
#endif
#else
/* POSIX': 0, or an error number. */
int strerror_r(int error, char *text, size_t size) WB_CALLS(wb_strerror_r);
#endif

char *strsignal(int signal);
#ifdef _GNU_SOURCE
const char *sigabbrev_np(int signal);
const char *sigdescr_np(int signal);
#endif

WB_END

#endif
