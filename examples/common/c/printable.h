/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Text that processes chose themselves, such as their names: it must not play with the terminal. */
#ifndef PRINTABLE_H
#define PRINTABLE_H

#include <stddef.h>

/* Copies what stands before the first zero to `out`, with a question mark for each control character; returns `out`. */
static inline char *printable(char *out, size_t room, const char *text, size_t length)
{
	size_t i;

	for (i = 0; i < length && i + 1 < room && text[i]; i++) {
		unsigned char letter = text[i];

		out[i] = letter < ' ' || letter == 0x7f ? '?' : (char)letter;
	}
	out[i] = 0;
	return out;
}

#endif
