/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#ifndef WASM_BPF_STDLIB_H
#define WASM_BPF_STDLIB_H

#include <wasm-bpf/platform.h>

#define system wb_hidden_system
#include_next <stdlib.h>
#undef system
#include <alloca.h>
#include <bits/wait_status.h>

WB_BEGIN

int system(const char *command) WB_CANNOT("a WebAssembly guest cannot start programs: fails with ENOSYS");
int posix_memalign(void **memory, size_t alignment, size_t size) WB_CALLS(wb_posix_memalign);
void *reallocarray(void *memory, size_t count, size_t size);

/* In a folder that was given, as all files. */
int mkstemp(char *pattern);
int mkostemp(char *pattern, int flags);
char *mkdtemp(char *pattern);

/* From /proc/loadavg, if a folder that was given has it. */
int getloadavg(double averages[], int count);

#ifdef _GNU_SOURCE
/* A guest never runs with more rights than who started it. */
char *secure_getenv(const char *name) WB_CALLS(getenv);
typedef int (*__compar_d_fn_t)(const void *, const void *, void *);
#endif
void qsort_r(void *array, size_t count, size_t size, int (*compare)(const void *, const void *, void *), void *context);

WB_END

#endif
