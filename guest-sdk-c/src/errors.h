// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From the interface's errors to libbpf's conventions: a negative errno as the result, the same value (positive) in errno.
#pragma once

#include <errno.h>
#include <stdbool.h>

#include "wasm_bpf.h"

// The negative errno of a code; errno is set, wasm_bpf_last_error() tells the case.
int wb_fail_code(const wasm_bpf_bpf_types_error_code_t *code);

// The same of a whole error: hands its message to the print callback as a warning that says what was being done ("load object 'x'"),
// keeps it for wasm_bpf_last_error() and frees it.
int wb_fail(wasm_bpf_bpf_types_error_t *error, const char *doing);

// The same without a word, for those who say more themselves.
int wb_fail_silently(wasm_bpf_bpf_types_error_t *error);

// The verifier's log of the error that wb_fail was last given, for those who asked for it in a buffer of their own; NULL if it had none.
const char *wb_last_verifier_log(void);

// For what the library itself refuses: sets errno to `error` (positive), warns in the words of the format, returns -error.
int wb_refuse(int error, const char *format, ...) __attribute__((format(printf, 2, 3)));

// The same for want of memory: -ENOMEM.
int wb_no_memory(void);

// The same for functions that return pointers: errno is set, NULL is returned.
static inline void *wb_null(int negative)
{
	errno = -negative;
	return 0;
}

// To the print callback, with libbpf's levels.
void wb_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void wb_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void wb_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
