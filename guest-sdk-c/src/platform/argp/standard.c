// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// --help, --usage and --version.
#include <argp.h>
#include <stdlib.h>

#include "platform/argp/options.h"

#define KEY_USAGE (-3)

static const struct argp_option help_options[] = {
	{ "help", '?', NULL, 0, "Give this help list", -1 },
	{ "usage", KEY_USAGE, NULL, 0, "Give a short usage message", 0 },
	{ 0 },
};

static error_t parse_help(int key, char *argument, struct argp_state *state)
{
	(void)argument;
	switch (key) {
	case '?':
		argp_state_help(state, state->out_stream, ARGP_HELP_STD_HELP);
		return 0;
	case KEY_USAGE:
		argp_state_help(state, state->out_stream, ARGP_HELP_USAGE | ARGP_HELP_EXIT_OK);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp help_argp = { .options = help_options, .parser = parse_help };

static const struct argp_option version_options[] = {
	{ "version", 'V', NULL, 0, "Print program version", -1 },
	{ 0 },
};

static error_t parse_version(int key, char *argument, struct argp_state *state)
{
	(void)argument;
	if (key != 'V')
		return ARGP_ERR_UNKNOWN;
	if (argp_program_version_hook)
		argp_program_version_hook(state->out_stream, state);
	else
		fprintf(state->out_stream, "%s\n", argp_program_version);
	if (!(state->flags & ARGP_NO_EXIT))
		exit(0);
	return 0;
}

static const struct argp version_argp = { .options = version_options, .parser = parse_version };

void wb_argp_make_root(struct wb_argp_root *root, const struct argp *argp, unsigned int flags)
{
	int count = 0;

	*root = (struct wb_argp_root){ 0 };
	if (argp)
		root->children[count++].argp = argp;
	if (!(flags & ARGP_NO_HELP))
		root->children[count++].argp = &help_argp;
	if (!(flags & ARGP_NO_HELP) && (argp_program_version || argp_program_version_hook))
		root->children[count++].argp = &version_argp;
	root->argp.children = root->children;
}
