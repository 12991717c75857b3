// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// argp: options, arguments and children as GNU's, to the letter of its help and its errors. It passes with glibc, too.
#define _GNU_SOURCE
#include <argp.h>
#include <stdarg.h>
#include <stdbool.h>

#include "check.h"

const char *argp_program_version = "demo 1.0";
const char *argp_program_bug_address = "<bugs@example.org>";

// What happened, and what was printed.
static char seen[1024];
static FILE *printed;
static char *text;
static size_t text_size;

static void see(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void see(const char *format, ...)
{
	size_t length = strlen(seen);
	va_list list;

	va_start(list, format);
	vsnprintf(seen + length, sizeof(seen) - length, format, list);
	va_end(list);
}

static const struct argp_option options[] = {
	{ "uid", 'u', "UID", 0, "Trace this UID only", 0 },
	{ "timestamp", 't', NULL, 0,
		"Include the time of each line, which is said here at a length that does not fit into one line of a terminal", 0 },
	{ "time", 'T', NULL, 0, "Like -t", 0 },
	{ "size", 's', "BYTES", OPTION_ARG_OPTIONAL, "How much (default: all)", 0 },
	{ "length", 0, NULL, OPTION_ALIAS, NULL, 0 },
	{ "a-name-of-no-small-length", 1000, "ARGUMENT", 0, "Has no letter", 0 },
	{ NULL, 'k', "K", 0, "Has no name", 0 },
	{ "secret", 'S', NULL, OPTION_HIDDEN, "Not shown", 0 },
	{ NULL, 0, NULL, 0, "Others:", 4 },
	{ "verbose", 'v', NULL, 0, "Say more", 0 },
	{ "Verbose", 'V', NULL, 0, "Say most; takes the letter of --version", 0 },
	{ 0 },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_INIT:
		CHECK(state->input == seen);
		state->child_inputs[0] = text;
		state->out_stream = state->err_stream = printed;
		return 0;
	case ARGP_KEY_ARG:
		if (!strcmp(argument, "usage"))
			argp_state_help(state, state->err_stream, ARGP_HELP_STD_USAGE);
		else if (!strcmp(argument, "error"))
			argp_error(state, "not a %s", "number");
		else if (!strcmp(argument, "failure"))
			argp_failure(state, 7, ENOENT, "cannot open %s", "it");
		else if (!strcmp(argument, "unknown"))
			return ARGP_ERR_UNKNOWN;
		else if (!strcmp(argument, "invalid"))
			return EDOM;
		see("[%u:%s%s]", state->arg_num, argument, state->quoted && state->next > state->quoted ? "!" : "");
		if (!strcmp(argument, "rest"))
			state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		see("none.");
		return 0;
	case ARGP_KEY_END:
		see("end %u.", state->arg_num);
		return 0;
	case ARGP_KEY_ERROR:
		see("error.");
		return 0;
	case ARGP_KEY_SUCCESS:
		see("success.");
		return 0;
	case ARGP_KEY_FINI:
		see("fini.");
		return 0;
	case ARGP_KEY_ARGS:
		return ARGP_ERR_UNKNOWN;
	}
	if (key == 1000)
		see("(long %s)", argument);
	else if (key > ' ' && key < 0x7f)
		see("(%c%s%s)", key, argument ? " " : "", argument ? argument : "");
	else
		return ARGP_ERR_UNKNOWN;
	return 0;
}

static const struct argp_option child_options[] = {
	{ "child", 'c', NULL, 0, "Of the child", 0 },
	{ 0 },
};

static error_t parse_child(int key, char *argument, struct argp_state *state)
{
	(void)argument;
	if (key != 'c')
		return ARGP_ERR_UNKNOWN;
	CHECK(state->input == text);
	see("(child)");
	return 0;
}

static char *filter(int key, const char *from, void *input)
{
	(void)input;
	if (key == 'c')
		return strdup("Of the child, filtered");
	return (char *)from;
}

static const struct argp child = { .options = child_options, .parser = parse_child, .help_filter = filter };
static const struct argp_child children[] = { { &child, 0, "Options of the child:", 2 }, { 0 } };
static const struct argp argp = {
	.options = options, .parser = parse, .args_doc = "PID [INTERVAL]\nall", .children = children,
	.doc = "Shows what it shows, in so many words that they do not fit into a single line.\n\nEXAMPLES:\n"
	       "    demo -t   # with time\vMore about it.",
};

static error_t run(unsigned int flags, int *index, char *const arguments[])
{
	static char *copy[16];
	error_t err;
	int count = 1;

	copy[0] = "/usr/bin/demo";
	while (arguments[count - 1] && count < 15) {
		copy[count] = arguments[count - 1];
		count++;
	}
	copy[count] = NULL;
	seen[0] = 0;
	free(text);
	text = NULL;
	printed = open_memstream(&text, &text_size);
	CHECK(printed);
	err = argp_parse(&argp, count, copy, flags | ARGP_NO_EXIT, index, seen);
	fclose(printed);
	return err;
}

#define RUN(flags, ...) run(flags, NULL, (char *const[]){ __VA_ARGS__, NULL })

#define CHECK_RUN(flags, error, what, ...) \
	do { \
		CHECK_IS(RUN(flags, __VA_ARGS__), error); \
		CHECK_TEXT(seen, what); \
	} while (0)

static void test_options(void)
{
	CHECK_RUN(0, 0, "(t)(u 5)(v)none.end 0.success.fini.", "-tu5", "-v");
	CHECK_RUN(0, 0, "(u 7)(u 8)(T)[0:a]end 1.success.fini.", "--uid=7", "a", "--uid", "8", "-T");
	CHECK_RUN(0, 0, "(s)(s 4)(s)(s 9)[0:3]end 1.success.fini.", "-s", "-s4", "--length", "3", "--siz=9");
	CHECK_RUN(0, 0, "(long x)(k y)(S)(V)none.end 0.success.fini.", "--a-name=x", "-k", "y", "--secret", "-V");
	CHECK_RUN(0, 0, "(child)(t)none.end 0.success.fini.", "-ct");
	CHECK_RUN(0, 0, "(t)[0:a!][1:b!][2:-v!][3:--!]end 4.success.fini.", "a", "-t", "--", "b", "-v", "--");
	CHECK_RUN(0, 0, "[0:-]end 1.success.fini.", "-");
	CHECK_RUN(0, 0, "(t)[0:rest]end 3.success.fini.", "rest", "x", "-t", "y");
	CHECK_RUN(ARGP_IN_ORDER, 0, "[0:a](t)[1:b]end 2.success.fini.", "a", "-t", "b");
	CHECK_RUN(ARGP_LONG_ONLY, 0, "(v)(u 3)(t)none.end 0.success.fini.", "-verbose", "-uid", "3", "-t");
	CHECK_RUN(ARGP_LONG_ONLY, 0, "(t)(u 5)none.end 0.success.fini.", "-tu5");
	CHECK_RUN(0, 0, "none.end 0.success.fini.", NULL);
}

static void test_arguments(void)
{
	int index = 0;

	CHECK_RUN(0, EDOM, "error.fini.", "invalid");
	CHECK_RUN(0, EINVAL, "[0:a]error.fini.", "a", "unknown", "b");
	CHECK_TEXT(text, "demo: Too many arguments\nTry `demo --help' or `demo --usage' for more information.\n");
	CHECK_IS(run(0, &index, (char *const[]){ "-t", "a", "unknown", "b", NULL }), 0);
	CHECK_TEXT(seen, "(t)[0:a]success.fini.");
	CHECK_IS(index, 3);
	CHECK_RUN(0, 0, "[0:error]end 1.success.fini.", "error");
	CHECK_TEXT(text, "demo: not a number\nTry `demo --help' or `demo --usage' for more information.\n");
	CHECK_RUN(0, 0, "[0:failure]end 1.success.fini.", "failure");
	CHECK_TEXT(text, "demo: cannot open it: No such file or directory\n");
	RUN(0, "usage");
	CHECK_TEXT(text,
		   "Usage: demo [OPTION...] PID [INTERVAL]\n"
		   "  or:  demo [OPTION...] all\n"
		   "Try `demo --help' or `demo --usage' for more information.\n");
	RUN(ARGP_NO_ERRS, "error");
	CHECK_TEXT(text, "");
}

#ifndef __GLIBC__
// glibc's getopt() writes these to stderr, not to the stream that argp was given.
static void test_complaints(void)
{
#define SEE "Try `demo --help' or `demo --usage' for more information.\n"
	CHECK_RUN(0, EINVAL, "(t)error.fini.", "-tx");
	CHECK_TEXT(text, "/usr/bin/demo: invalid option -- 'x'\n" SEE);
	CHECK_RUN(0, EINVAL, "error.fini.", "-u");
	CHECK_TEXT(text, "/usr/bin/demo: option requires an argument -- 'u'\n" SEE);
	CHECK_RUN(0, EINVAL, "error.fini.", "--uid");
	CHECK_TEXT(text, "/usr/bin/demo: option '--uid' requires an argument\n" SEE);
	CHECK_RUN(0, EINVAL, "error.fini.", "--time=3");
	CHECK_TEXT(text, "/usr/bin/demo: option '--time' doesn't allow an argument\n" SEE);
	CHECK_RUN(0, EINVAL, "error.fini.", "--tim");
	CHECK_TEXT(text, "/usr/bin/demo: option '--tim' is ambiguous; possibilities: '--timestamp' '--time'\n" SEE);
	CHECK_RUN(0, EINVAL, "error.fini.", "--nosuch=1");
	CHECK_TEXT(text, "/usr/bin/demo: unrecognized option '--nosuch=1'\n" SEE);
	CHECK_RUN(ARGP_NO_HELP, EINVAL, "error.fini.", "--help");
	CHECK_RUN(ARGP_NO_ERRS, EINVAL, "error.fini.", "-x");
	CHECK_TEXT(text, "");
}
#endif

static void test_help(void)
{
	RUN(0, "--help");
	CHECK_TEXT(text,
		   "Usage: demo [OPTION...] PID [INTERVAL]\n"
		   "  or:  demo [OPTION...] all\n"
		   "Shows what it shows, in so many words that they do not fit into a single line.\n"
		   "\n"
		   "EXAMPLES:\n"
		   "    demo -t   # with time\n"
		   "\n"
		   "      --a-name-of-no-small-length=ARGUMENT\n"
		   "                             Has no letter\n"
		   "  -k K                       Has no name\n"
		   "  -s, --size[=BYTES], --length[=BYTES]\n"
		   "                             How much (default: all)\n"
		   "  -t, --timestamp            Include the time of each line, which is said here\n"
		   "                             at a length that does not fit into one line of a\n"
		   "                             terminal\n"
		   "  -T, --time                 Like -t\n"
		   "  -u, --uid=UID              Trace this UID only\n"
		   "\n"
		   " Options of the child:\n"
		   "  -c, --child                Of the child, filtered\n"
		   "\n"
		   " Others:\n"
		   "  -v, --verbose              Say more\n"
		   "  -V, --Verbose              Say most; takes the letter of --version\n"
		   "\n"
		   "  -?, --help                 Give this help list\n"
		   "      --usage                Give a short usage message\n"
		   "      --version              Print program version\n"
		   "\n"
		   "Mandatory or optional arguments to long options are also mandatory or optional\n"
		   "for any corresponding short options.\n"
		   "\n"
		   "More about it.\n"
		   "\n"
		   "Report bugs to <bugs@example.org>.\n");
	RUN(0, "--usage");
	CHECK_TEXT(text,
		   "Usage: demo [-tTcvV?] [-k K] [-s[BYTES]] [-u UID]\n"
		   "            [--a-name-of-no-small-length=ARGUMENT] [--size[=BYTES]]\n"
		   "            [--length[=BYTES]] [--timestamp] [--time] [--uid=UID] [--child]\n"
		   "            [--verbose] [--Verbose] [--help] [--usage] [--version]\n"
		   "            PID [INTERVAL]\n"
		   "  or:  demo [OPTION...] all\n");
	RUN(0, "--version");
	CHECK_TEXT(text, "demo 1.0\n");
	free(text);
	printed = open_memstream(&text, &text_size);
	argp_help(&child, printed, ARGP_HELP_STD_HELP | ARGP_HELP_STD_USAGE, "name");
	fclose(printed);
	CHECK_TEXT(text,
		   "Usage: name [OPTION...]\n"
		   "Try `name --help' or `name --usage' for more information.\n"
		   "\n"
		   "  -c, --child                Of the child, filtered\n"
		   "\n"
		   "Report bugs to <bugs@example.org>.\n");
	CHECK_IS(argp_err_exit_status, 64);
}

int main(void)
{
	test_options();
	test_arguments();
	test_help();
#ifndef __GLIBC__
	test_complaints();
#endif
	return 0;
}
