// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// argp_parse(): GNU's rules of the command line.
#define _GNU_SOURCE
#include <argp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "platform/argp/options.h"

// An argp among all: the program's and those that it is made of, each before its children.
struct group {
	const struct argp *argp;
	struct group *parent;
	int place;              // among the parent's children
	int args_processed;
	void *input, *hook;
	void **child_inputs;
};

struct parser {
	struct argp_state state;
	struct group *groups;
	size_t count;
	char *letters;          // what follows in an argument of several short options; NULL between arguments
	bool in_order, is_long_only;
	bool is_unwanted;       // nobody took an argument
};

static size_t count_groups(const struct argp *argp, size_t *inputs)
{
	size_t count = 1;

	for (const struct argp_child *child = argp->children; child && child->argp; child++) {
		count += count_groups(child->argp, inputs);
		(*inputs)++;
	}
	return count;
}

// Fills in the groups of an argp and what it is made of; returns the one behind the last.
static struct group *add_groups(struct group *group, const struct argp *argp, struct group *parent, int place, void ***inputs)
{
	struct group *next = group + 1;
	int count = 0;

	*group = (struct group){ .argp = argp, .parent = parent, .place = place };
	for (const struct argp_child *child = argp->children; child && child->argp; child++)
		count++;
	if (count) {
		group->child_inputs = *inputs;
		*inputs += count;
	}
	for (int i = 0; i < count; i++)
		next = add_groups(next, argp->children[i].argp, group, i, inputs);
	return next;
}

static error_t call(struct parser *parser, struct group *group, int key, char *argument)
{
	struct argp_state *state = &parser->state;
	error_t err;

	if (!group->argp->parser)
		return ARGP_ERR_UNKNOWN;
	state->hook = group->hook;
	state->input = group->input;
	state->child_inputs = group->child_inputs;
	state->arg_num = group->args_processed;
	err = group->argp->parser(key, argument, state);
	group->hook = state->hook;
	return err;
}

// Where an error of the command line is reported, if it is.
static FILE *complaints(const struct parser *parser)
{
	return parser->state.flags & ARGP_NO_ERRS ? NULL : parser->state.err_stream;
}

static void complain(const struct parser *parser, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void complain(const struct parser *parser, const char *format, ...)
{
	FILE *stream = complaints(parser);
	va_list list;

	if (!stream)
		return;
	fprintf(stream, "%s: ", parser->state.argv[0]);
	va_start(list, format);
	vfprintf(stream, format, list);
	va_end(list);
	fputc('\n', stream);
}

static error_t start(struct parser *parser, void *input)
{
	parser->groups[0].input = input;
	for (size_t i = 0; i < parser->count; i++) {
		struct group *group = &parser->groups[i];
		error_t err;

		if (group->parent)
			group->input = group->parent->child_inputs[group->place];
		// One that only puts others together hands on to the first.
		if (!group->argp->parser && group->child_inputs)
			group->child_inputs[0] = group->input;
		err = call(parser, group, ARGP_KEY_INIT, NULL);
		if (err && err != ARGP_ERR_UNKNOWN)
			return err;
	}
	return 0;
}

static error_t take(struct parser *parser, struct group *group, const struct argp_option *option, char *argument, const char *spelled)
{
	// An alias without a key of its own has that of what it is an alias of.
	int key = option->key ? option->key : wb_option_real(group->argp->options, option)->key;
	error_t err = call(parser, group, key, argument);

	if (err != ARGP_ERR_UNKNOWN)
		return err;
	argp_error(&parser->state, "%s: (PROGRAM ERROR) Option should have been recognized!?", spelled);
	return ARGP_ERR_UNKNOWN;
}

static error_t parse_letter(struct parser *parser)
{
	struct argp_state *state = &parser->state;
	const char letter = *parser->letters++;
	char spelled[] = { '-', letter, 0 };

	for (size_t i = 0; i < parser->count; i++) {
		const struct argp_option *first = parser->groups[i].argp->options;

		for (const struct argp_option *option = first; option && !wb_option_is_last(option); option++) {
			const struct argp_option *real = wb_option_real(first, option);
			char *argument = NULL;

			if (!wb_option_has_letter(option) || option->key != letter)
				continue;
			if (real->arg && *parser->letters) {
				argument = parser->letters;
				parser->letters = NULL;
			} else if (real->arg && !(real->flags & OPTION_ARG_OPTIONAL)) {
				parser->letters = NULL;
				if (state->next >= state->argc) {
					complain(parser, "option requires an argument -- '%c'", letter);
					return ARGP_ERR_UNKNOWN;
				}
				argument = state->argv[state->next++];
			}
			if (parser->letters && !*parser->letters)
				parser->letters = NULL;
			return take(parser, &parser->groups[i], option, argument, spelled);
		}
	}
	if (!*parser->letters)
		parser->letters = NULL;
	complain(parser, "invalid option -- '%c'", letter);
	return ARGP_ERR_UNKNOWN;
}

static bool has_long_name(const struct argp_option *option)
{
	return option->name && !(option->flags & OPTION_DOC);
}

// Finds the option of a long name, or of the beginning of one that fits no other. False if there is none; what is ambiguous is reported.
static bool find_long(struct parser *parser, const char *dashes, const char *name, size_t length, struct group **group,
		      const struct argp_option **found, bool *is_reported)
{
	int matches = 0;
	bool is_ambiguous = false;

	*is_reported = false;
	for (size_t i = 0; i < parser->count; i++) {
		const struct argp_option *first = parser->groups[i].argp->options;

		for (const struct argp_option *option = first; option && !wb_option_is_last(option); option++) {
			if (!has_long_name(option) || strncmp(option->name, name, length) != 0)
				continue;
			if (strlen(option->name) == length) {
				*group = &parser->groups[i];
				*found = option;
				return true;
			}
			if (!matches++) {
				*group = &parser->groups[i];
				*found = option;
			} else if (*group != &parser->groups[i] || (*found)->key != option->key) {
				is_ambiguous = true;
			}
		}
	}
	if (!is_ambiguous)
		return matches;
	*is_reported = true;
	if (complaints(parser)) {
		FILE *stream = complaints(parser);

		fprintf(stream, "%s: option '%s%.*s' is ambiguous; possibilities:", parser->state.argv[0], dashes, (int)length, name);
		for (size_t i = 0; i < parser->count; i++) {
			const struct argp_option *option = parser->groups[i].argp->options;

			for (; option && !wb_option_is_last(option); option++)
				if (has_long_name(option) && !strncmp(option->name, name, length))
					fprintf(stream, " '%s%s'", dashes, option->name);
		}
		fputc('\n', stream);
	}
	return false;
}

static error_t parse_long(struct parser *parser, const char *dashes, char *name)
{
	struct argp_state *state = &parser->state;
	size_t length = strcspn(name, "=");
	char *argument = name[length] ? name + length + 1 : NULL;
	const struct argp_option *option, *real;
	struct group *group;
	bool is_reported;
	char spelled[64];

	if (!find_long(parser, dashes, name, length, &group, &option, &is_reported)) {
		if (!is_reported)
			complain(parser, "unrecognized option '%s%s'", dashes, name);
		return ARGP_ERR_UNKNOWN;
	}
	real = wb_option_real(group->argp->options, option);
	if (argument && !real->arg) {
		complain(parser, "option '%s%s' doesn't allow an argument", dashes, option->name);
		return ARGP_ERR_UNKNOWN;
	}
	if (!argument && real->arg && !(real->flags & OPTION_ARG_OPTIONAL)) {
		if (state->next >= state->argc) {
			complain(parser, "option '%s%s' requires an argument", dashes, option->name);
			return ARGP_ERR_UNKNOWN;
		}
		argument = state->argv[state->next++];
	}
	snprintf(spelled, sizeof(spelled), "%s%s", dashes, option->name);
	return take(parser, group, option, argument, spelled);
}

static bool is_letter(const struct parser *parser, char letter)
{
	for (size_t i = 0; i < parser->count; i++) {
		const struct argp_option *option = parser->groups[i].argp->options;

		for (; option && !wb_option_is_last(option); option++)
			if (wb_option_has_letter(option) && option->key == letter)
				return true;
	}
	return false;
}

static error_t parse_option(struct parser *parser)
{
	struct argp_state *state = &parser->state;
	char *text = state->argv[state->next++];
	struct group *group;
	const struct argp_option *option;
	bool is_reported;

	if (text[1] == '-')
		return parse_long(parser, "--", text + 2);
	// With one dash a long name is meant, unless it is one letter that is an option; and letters if there is no such name.
	if (parser->is_long_only && (text[2] || !is_letter(parser, text[1])) &&
	    (find_long(parser, "-", text + 1, strcspn(text + 1, "="), &group, &option, &is_reported) || is_reported))
		return is_reported ? ARGP_ERR_UNKNOWN : parse_long(parser, "-", text + 1);
	parser->letters = text + 1;
	return parse_letter(parser);
}

// Gives an argument, or all that remain, to the first who takes them. ARGP_ERR_UNKNOWN: nobody did.
static error_t parse_argument(struct parser *parser)
{
	struct argp_state *state = &parser->state;
	int index = state->next;
	error_t err = ARGP_ERR_UNKNOWN;

	for (size_t i = 0; err == ARGP_ERR_UNKNOWN && i < parser->count; i++) {
		struct group *group = &parser->groups[i];
		int key = ARGP_KEY_ARG;

		state->next = index + 1;
		err = call(parser, group, ARGP_KEY_ARG, state->argv[index]);
		if (err == ARGP_ERR_UNKNOWN) {
			state->next = index;
			key = ARGP_KEY_ARGS;
			err = call(parser, group, ARGP_KEY_ARGS, NULL);
		}
		if (err)
			continue;
		if (key == ARGP_KEY_ARGS && state->next == index)
			state->next = state->argc;
		if (state->next > index)
			group->args_processed += state->next - index;
	}
	if (err)
		state->next = index;
	return err;
}

static bool is_option(const char *text)
{
	return text[0] == '-' && text[1];
}

// Options first; what stands between them is put behind all, as GNU has it. `later` has room for it.
static error_t parse_options(struct parser *parser, char **later, int *later_count)
{
	struct argp_state *state = &parser->state;
	const bool stops_at_argument = !parser->in_order && getenv("POSIXLY_CORRECT");
	int out = state->next, begin;
	error_t err = 0;

	while (state->next < state->argc || parser->letters) {
		char *text = parser->letters ? NULL : state->argv[state->next];

		begin = state->next;
		if (parser->letters) {
			err = parse_letter(parser);
		} else if (!strcmp(text, "--")) {
			state->next++;
			state->argv[out++] = text;
			state->quoted = out;
			break;
		} else if (is_option(text)) {
			err = parse_option(parser);
		} else if (parser->in_order) {
			if (state->flags & ARGP_NO_ARGS)
				break;
			err = parse_argument(parser);
			if (err == ARGP_ERR_UNKNOWN) {
				parser->is_unwanted = true;
				return 0;
			}
		} else if (stops_at_argument) {
			break;
		} else {
			later[(*later_count)++] = text;
			state->next++;
			continue;
		}
		if (err)
			return err;
		// With what belongs to it. A parser may have gone back to what was there.
		if (state->next >= begin && out <= begin)
			while (begin < state->next && begin < state->argc)
				state->argv[out++] = state->argv[begin++];
	}
	if (state->next > state->argc)
		state->next = state->argc;
	// Behind the options and before what follows "--".
	memcpy(state->argv + out, later, *later_count * sizeof(*later));
	state->next = out;
	return 0;
}

static error_t parse_all(struct parser *parser)
{
	struct argp_state *state = &parser->state;
	char **later = malloc((state->argc + 1) * sizeof(*later));
	int later_count = 0;
	error_t err;

	if (!later)
		return ENOMEM;
	err = parse_options(parser, later, &later_count);
	free(later);
	while (!err && !parser->is_unwanted && state->next < state->argc && !(state->flags & ARGP_NO_ARGS)) {
		err = parse_argument(parser);
		if (err == ARGP_ERR_UNKNOWN)
			// Nobody takes it: that is for the caller, who asked for the index, or an error.
			return 0;
	}
	return err;
}

// From the last to the first, as children are done before who is made of them.
static error_t call_backwards(struct parser *parser, int key)
{
	for (size_t i = parser->count; i--;) {
		error_t err = call(parser, &parser->groups[i], key, NULL);

		if (err && err != ARGP_ERR_UNKNOWN)
			return err;
	}
	return 0;
}

static error_t finish(struct parser *parser, error_t err, int *index)
{
	struct argp_state *state = &parser->state;

	if (!err && state->next < state->argc && !index) {
		if (complaints(parser))
			fprintf(complaints(parser), "%s: Too many arguments\n", state->name);
		err = ARGP_ERR_UNKNOWN;
	} else if (!err && state->next == state->argc) {
		for (size_t i = 0; !err && i < parser->count; i++)
			if (!parser->groups[i].args_processed) {
				err = call(parser, &parser->groups[i], ARGP_KEY_NO_ARGS, NULL);
				if (err == ARGP_ERR_UNKNOWN)
					err = 0;
			}
		if (!err)
			err = call_backwards(parser, ARGP_KEY_END);
	}
	if (index)
		*index = state->next;
	if (err) {
		if (err == ARGP_ERR_UNKNOWN)
			argp_state_help(state, state->err_stream, ARGP_HELP_STD_ERR);
		for (size_t i = 0; i < parser->count; i++)
			call(parser, &parser->groups[i], ARGP_KEY_ERROR, NULL);
	} else {
		err = call_backwards(parser, ARGP_KEY_SUCCESS);
	}
	call_backwards(parser, ARGP_KEY_FINI);
	return err == ARGP_ERR_UNKNOWN ? EINVAL : err;
}

error_t argp_parse(const struct argp *argp, int argc, char **argv, unsigned int flags, int *index, void *input)
{
	struct wb_argp_root root;
	struct parser parser = {
		.state = {
			.root_argp = &root.argp, .argc = argc, .argv = argv, .flags = flags, .err_stream = stderr, .out_stream = stdout,
			.next = 1,
		},
		.in_order = flags & ARGP_IN_ORDER,
		.is_long_only = flags & ARGP_LONG_ONLY,
	};
	struct argp_state *state = &parser.state;
	size_t input_count = 0;
	void **inputs, **free_inputs;
	error_t err;

	wb_argp_make_root(&root, argp, flags);
	state->pstate = &parser;
	state->name = flags & ARGP_PARSE_ARGV0 || !argc ? program_invocation_short_name : argv[0];
	if (strrchr(state->name, '/'))
		state->name = strrchr(state->name, '/') + 1;
	parser.count = count_groups(&root.argp, &input_count);
	parser.groups = malloc(parser.count * sizeof(*parser.groups));
	inputs = calloc(input_count + 1, sizeof(*inputs));
	if (parser.groups && inputs) {
		free_inputs = inputs;
		add_groups(parser.groups, &root.argp, NULL, 0, &free_inputs);
		err = start(&parser, input);
		if (!err)
			err = parse_all(&parser);
		err = finish(&parser, err, index);
	} else {
		err = ENOMEM;
	}
	free(parser.groups);
	free(inputs);
	return err;
}

void *wb_argp_input(const struct argp *argp, const struct argp_state *state)
{
	const struct parser *parser = state ? state->pstate : NULL;

	for (size_t i = 0; parser && i < parser->count; i++)
		if (parser->groups[i].argp == argp)
			return parser->groups[i].input;
	return NULL;
}
