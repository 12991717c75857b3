// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Text in lines of a terminal, for --help.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct wb_text {
	FILE *stream;
	char *pending;           // not yet broken into lines
	size_t length, room;
	int column;              // where the next character comes
	int left, wrapped;       // columns where lines begin after a newline, and after a break
	bool failed;
};

void wb_text_write(struct wb_text *text, const char *from, size_t length);
void wb_text_put(struct wb_text *text, const char *from);
void wb_text_printf(struct wb_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
// The column where the next character comes.
int wb_text_column(struct wb_text *text);
// Spaces up to a column; none if it is passed.
void wb_text_indent(struct wb_text *text, int column);
// These hold for what comes from now on.
void wb_text_set_left(struct wb_text *text, int column);
void wb_text_set_wrapped(struct wb_text *text, int column);
// A space, or a new line if so many columns would not fit behind it.
void wb_text_space(struct wb_text *text, size_t needed);
// Gives all of it to the stream.
void wb_text_finish(struct wb_text *text);
