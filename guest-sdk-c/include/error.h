/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/*
 * GNU's messages of errors: the program's name, the message, the text of an error number if it is not 0; ends the program if status
 * is not 0.
 */
#ifndef WASM_BPF_ERROR_H
#define WASM_BPF_ERROR_H

#include <wasm-bpf/platform.h>

WB_BEGIN

void error(int status, int number, const char *format, ...) __attribute__((format(printf, 3, 4)));
void error_at_line(int status, int number, const char *file, unsigned int line, const char *format, ...)
	__attribute__((format(printf, 5, 6)));
extern void (*error_print_progname)(void);
extern unsigned int error_message_count;
extern int error_one_per_line;

WB_END

#endif
