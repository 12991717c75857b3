// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What parsing and help both look at in lists of options.
#pragma once

#include <argp.h>
#include <stdbool.h>

// The end of a list.
static inline bool wb_option_is_last(const struct argp_option *option)
{
	return !option->key && !option->name && !option->doc && !option->group;
}

// Whether its key is also a letter for the command line.
static inline bool wb_option_has_letter(const struct argp_option *option)
{
	return !(option->flags & OPTION_DOC) && option->key > ' ' && option->key < 0x7f;
}

// The argument of an option and whether it may be left out: an alias has those of the option before it.
static inline const struct argp_option *wb_option_real(const struct argp_option *first, const struct argp_option *option)
{
	while (option > first && option->flags & OPTION_ALIAS)
		option--;
	return option;
}

// What argp_parse() parses: the program's own, and the options that every program has.
struct wb_argp_root {
	struct argp argp;
	struct argp_child children[4];
};
void wb_argp_make_root(struct wb_argp_root *root, const struct argp *argp, unsigned int flags);

// The input of an argp that is parsed just now; NULL if it is not.
void *wb_argp_input(const struct argp *argp, const struct argp_state *state);
