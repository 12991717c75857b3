// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "platform/argp/help.h"

// GNU's default.
#define RIGHT 79

static bool is_blank(char letter)
{
	return letter == ' ' || letter == '\t';
}

static void spaces(struct wb_text *text, int count)
{
	fprintf(text->stream, "%*s", count, "");
}

// Writes out what stands in one line, without its newline.
static void out(struct wb_text *text, const char *from, size_t length)
{
	if (!length)
		return;
	if (!text->column && text->left) {
		spaces(text, text->left);
		text->column = text->left;
	}
	fwrite(from, 1, length, text->stream);
	text->column += length;
}

// Breaks what is pending into lines.
static void flush(struct wb_text *text)
{
	const char *from = text->pending, *end = text->pending + text->length;

	while (from < end) {
		const char *newline = memchr(from, '\n', end - from), *stop = newline ? newline : end, *at;
		int column = !text->column && from < stop ? text->left : text->column;

		if (column + (stop - from) < RIGHT) {
			out(text, from, stop - from);
			if (newline) {
				fputc('\n', text->stream);
				text->column = 0;
			}
			from = newline ? newline + 1 : end;
			continue;
		}
		// The last blank that keeps the line short enough; else the first behind a word that is too long.
		at = from + (RIGHT > column ? RIGHT - column : 0);
		if (at > stop)
			at = stop;
		while (at > from && !(at < stop && is_blank(*at)))
			at--;
		if (at == from && !is_blank(*at)) {
			at = from + (RIGHT > column ? RIGHT - column : 0);
			while (at < stop && !is_blank(*at))
				at++;
			if (at >= stop) {
				out(text, from, stop - from);
				if (newline) {
					fputc('\n', text->stream);
					text->column = 0;
				}
				from = newline ? newline + 1 : end;
				continue;
			}
		}
		const char *next = at;

		while (next < stop && is_blank(*next))
			next++;
		while (at > from && is_blank(at[-1]))
			at--;
		out(text, from, at - from);
		fputc('\n', text->stream);
		spaces(text, text->wrapped);
		text->column = text->wrapped;
		from = next;
	}
	text->length = 0;
}

void wb_text_write(struct wb_text *text, const char *from, size_t length)
{
	if (text->length + length > text->room) {
		size_t room = (text->length + length) * 2;
		char *grown = realloc(text->pending, room);

		if (!grown) {
			text->failed = true;
			return;
		}
		text->pending = grown;
		text->room = room;
	}
	memcpy(text->pending + text->length, from, length);
	text->length += length;
}

void wb_text_put(struct wb_text *text, const char *from)
{
	wb_text_write(text, from, strlen(from));
}

void wb_text_printf(struct wb_text *text, const char *format, ...)
{
	va_list list;
	char *made;
	int length;

	va_start(list, format);
	length = vasprintf(&made, format, list);
	va_end(list);
	if (length < 0) {
		text->failed = true;
		return;
	}
	wb_text_write(text, made, length);
	free(made);
}

int wb_text_column(struct wb_text *text)
{
	flush(text);
	return text->column;
}

void wb_text_indent(struct wb_text *text, int column)
{
	for (int at = wb_text_column(text); at < column; at++)
		wb_text_write(text, " ", 1);
}

void wb_text_set_left(struct wb_text *text, int column)
{
	flush(text);
	text->left = column;
}

void wb_text_set_wrapped(struct wb_text *text, int column)
{
	flush(text);
	text->wrapped = column;
}

void wb_text_space(struct wb_text *text, size_t needed)
{
	wb_text_write(text, wb_text_column(text) + needed >= RIGHT ? "\n" : " ", 1);
}

void wb_text_finish(struct wb_text *text)
{
	flush(text);
	free(text->pending);
}
