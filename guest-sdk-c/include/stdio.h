/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#ifndef WASM_BPF_STDIO_H
#define WASM_BPF_STDIO_H

#include <wasm-bpf/platform.h>

/* wasi-libc warns of its own. */
#define tmpfile wb_hidden_tmpfile
#include_next <stdio.h>
#undef tmpfile

WB_BEGIN

FILE *popen(const char *command, const char *mode) WB_CANNOT("a WebAssembly guest cannot start programs: fails with ENOSYS");
/* Of nothing: there is no stream of popen(). */
int pclose(FILE *stream);
int renameat(int from, const char *old, int to, const char *name) WB_CALLS(wb_renameat);
/* In /tmp, as elsewhere, if a folder that was given has it. */
FILE *tmpfile(void);

WB_END

#endif
