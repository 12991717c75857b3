// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "print.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "errors.h"

static int to_stderr(enum libbpf_print_level level, const char *format, va_list ap)
{
	const char *wanted = getenv("LIBBPF_LOG_LEVEL");
	enum libbpf_print_level last = LIBBPF_INFO;

	if (wanted && !strcasecmp(wanted, "warn"))
		last = LIBBPF_WARN;
	else if (wanted && !strcasecmp(wanted, "debug"))
		last = LIBBPF_DEBUG;
	return level > last ? 0 : vfprintf(stderr, format, ap);
}

static libbpf_print_fn_t callback = to_stderr;

libbpf_print_fn_t libbpf_set_print(libbpf_print_fn_t fn)
{
	libbpf_print_fn_t before = callback;

	callback = fn;
	return before;
}

__attribute__((format(printf, 2, 3))) static void say(enum libbpf_print_level level, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	callback(level, format, ap);
	va_end(ap);
}

static void say_text(enum libbpf_print_level level, const char *format, va_list ap)
{
	char *text;
	int before = errno;

	if (!callback)
		return;
	// The callback's format has to be a whole message, with the prefix by which programs tell the library's from their own.
	if (vasprintf(&text, format, ap) < 0) {
		say(level, "libbpf: out of memory for a message\n");
	} else {
		say(level, "libbpf: %s\n", text);
		free(text);
	}
	errno = before;
}

void wb_warn(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say_text(LIBBPF_WARN, format, ap);
	va_end(ap);
}

void wb_info(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say_text(LIBBPF_INFO, format, ap);
	va_end(ap);
}

void wb_debug(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	say_text(LIBBPF_DEBUG, format, ap);
	va_end(ap);
}

void wb_warn_log(const char *program, const char *log)
{
	if (!callback)
		return;
	say(LIBBPF_WARN, "libbpf: prog '%s': -- BEGIN PROG LOAD LOG --\n%s%s-- END PROG LOAD LOG --\n", program ? program : "?", log,
	    *log && log[strlen(log) - 1] != '\n' ? "\n" : "");
}
