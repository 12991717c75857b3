// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// --help and --usage as GNU lays them out, and the messages of errors.
#define _GNU_SOURCE
#include <argp.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "platform/argp/help.h"
#include "platform/argp/options.h"

// Columns of the layout.
#define LETTER_COLUMN 2
#define LONG_COLUMN 6
#define DOC_OPTION_COLUMN 2
#define DOC_COLUMN 29
#define HEADER_COLUMN 1
#define USAGE_COLUMN 12

// Options of a child that stand together, under a header of their own.
struct cluster {
	const struct argp *argp;
	const char *header;
	struct cluster *parent;
	int depth, group, place;
};

// An option with the aliases that follow it.
struct entry {
	const struct argp *argp;
	const struct argp_option *option;
	int aliases;            // and itself
	struct cluster *cluster;
	int group;
	const char *letters;    // those of them that no option before has, in their order
};

struct list {
	struct entry *entries;
	size_t count;
	char *letters, *letters_end;
	struct cluster *clusters;
	size_t cluster_count;
};

static bool is_visible(const struct argp_option *option)
{
	return !(option->flags & OPTION_HIDDEN);
}

static bool is_documentation(const struct argp_option *option)
{
	return option->flags & OPTION_DOC;
}

static void count_all(const struct argp *argp, size_t *options, size_t *children)
{
	for (const struct argp_option *option = argp->options; option && !wb_option_is_last(option); option++)
		(*options)++;
	for (const struct argp_child *child = argp->children; child && child->argp; child++) {
		(*children)++;
		count_all(child->argp, options, children);
	}
}

static void add_all(struct list *list, const struct argp *argp, struct cluster *cluster)
{
	const struct argp_option *option = argp->options;
	int group = 0, place = 0;

	while (option && !wb_option_is_last(option)) {
		struct entry *entry = &list->entries[list->count];

		if (option->group)
			group = option->group;
		else if (!option->name && !option->key)
			group++;
		*entry = (struct entry){ .argp = argp, .option = option, .cluster = cluster, .group = group };
		list->count++;
		entry->letters = list->letters_end;
		do {
			if (wb_option_has_letter(option) && !memchr(list->letters, option->key, list->letters_end - list->letters))
				*list->letters_end++ = option->key;
			entry->aliases++;
			option++;
		} while (!wb_option_is_last(option) && option->flags & OPTION_ALIAS);
		*list->letters_end++ = 0;
	}
	for (const struct argp_child *child = argp->children; child && child->argp; child++, place++) {
		struct cluster *own = cluster;

		if (child->group || child->header) {
			own = &list->clusters[list->cluster_count++];
			*own = (struct cluster){ child->argp, child->header, cluster, cluster ? cluster->depth + 1 : 0,
				child->group, place };
		}
		add_all(list, child->argp, own);
	}
}

static char first_letter(const struct entry *entry)
{
	const char *letter = entry->letters;

	for (int i = 0; i < entry->aliases && *letter; i++) {
		if (!wb_option_has_letter(&entry->option[i]) || entry->option[i].key != *letter)
			continue;
		if (is_visible(&entry->option[i]))
			return *letter;
		letter++;
	}
	return 0;
}

static const char *first_name(const struct entry *entry)
{
	for (int i = 0; i < entry->aliases; i++)
		if (entry->option[i].name && is_visible(&entry->option[i]))
			return entry->option[i].name;
	return NULL;
}

// Groups 0, 1, 2, ... and then -2, -1.
static int compare_groups(int a, int b, int otherwise)
{
	if (a == b)
		return otherwise;
	if ((a < 0) == (b < 0))
		return a - b;
	return b - a;
}

static int compare_clusters(const struct cluster *a, const struct cluster *b)
{
	while (a->depth > b->depth)
		a = a->parent;
	while (b->depth > a->depth)
		b = b->parent;
	while (a->parent != b->parent) {
		a = a->parent;
		b = b->parent;
	}
	return compare_groups(a->group, b->group, a->place - b->place);
}

static const struct cluster *outermost(const struct cluster *cluster)
{
	while (cluster->parent)
		cluster = cluster->parent;
	return cluster;
}

// An option that is no option but looks like one is sorted as what it looks like: whether it does not.
static bool is_plain_text(const char **name)
{
	const char *text = *name;

	if (!text)
		return true;
	while (isspace((unsigned char)*text))
		text++;
	if (*text != '-') {
		*name = text;
		return true;
	}
	while (*text && !isalnum((unsigned char)*text))
		text++;
	*name = text;
	return false;
}

static int compare_names(const struct entry *a, const struct entry *b)
{
	const char *a_name = first_name(a), *b_name = first_name(b);
	bool a_is_text = is_documentation(a->option) && is_plain_text(&a_name);
	bool b_is_text = is_documentation(b->option) && is_plain_text(&b_name);
	char a_first = first_letter(a), b_first = first_letter(b);
	int difference, has_letters;

	if (a_is_text != b_is_text)
		return a_is_text - b_is_text;
	if (!a_first && !b_first && a_name && b_name) {
		difference = strcasecmp(a_name, b_name);
		return difference ? difference : strcmp(b_name, a_name);
	}
	has_letters = !!a_first - !!b_first;
	if (!a_first)
		a_first = a_name ? *a_name : 0;
	if (!b_first)
		b_first = b_name ? *b_name : 0;
	difference = tolower((unsigned char)a_first) - tolower((unsigned char)b_first);
	if (!difference)
		difference = b_first - a_first;
	return difference ? difference : has_letters;
}

static bool comes_after(const struct entry *a, const struct entry *b)
{
	int difference;

	if (a->cluster != b->cluster) {
		if (!a->cluster)
			difference = compare_groups(a->group, outermost(b->cluster)->group, -1);
		else if (!b->cluster)
			difference = compare_groups(outermost(a->cluster)->group, b->group, 1);
		else
			difference = compare_clusters(a->cluster, b->cluster);
	} else {
		difference = compare_groups(a->group, b->group, 0);
		if (!difference)
			difference = compare_names(a, b);
	}
	return difference > 0;
}

// There are few, and most are in order; those that are equal stay as they are.
static void sort(struct list *list)
{
	for (size_t i = 1; i < list->count; i++) {
		struct entry entry = list->entries[i];
		size_t at = i;

		for (; at && comes_after(&list->entries[at - 1], &entry); at--)
			list->entries[at] = list->entries[at - 1];
		list->entries[at] = entry;
	}
}

static void put_last(struct list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		for (int alias = 0; alias < list->entries[i].aliases; alias++)
			if (list->entries[i].option[alias].name && !strcmp(list->entries[i].option[alias].name, name)) {
				list->entries[i].group = -1;
				return;
			}
}

static bool make_list(struct list *list, const struct argp *argp)
{
	size_t options = 0, children = 0;

	*list = (struct list){ 0 };
	count_all(argp, &options, &children);
	list->entries = calloc(options + 1, sizeof(*list->entries));
	list->clusters = calloc(children + 1, sizeof(*list->clusters));
	list->letters = list->letters_end = calloc(2, options + 1);
	if (!list->entries || !list->clusters || !list->letters)
		return false;
	add_all(list, argp, NULL);
	put_last(list, "help");
	put_last(list, "version");
	sort(list);
	return true;
}

static void free_list(struct list *list)
{
	free(list->entries);
	free(list->clusters);
	free(list->letters);
}

// What is printed, and for whom.
struct help {
	struct wb_text text;
	const struct argp_state *state;
	const struct entry *previous;
	bool separates_groups, left_out_argument;
};

// A text as the program's filter wants it; `made` is what is to be freed.
static const char *filter(struct help *help, const struct argp *argp, int key, const char *text, char **made)
{
	const char *result;

	*made = NULL;
	if (!argp->help_filter)
		return text;
	result = argp->help_filter(key, text, wb_argp_input(argp, help->state));
	if (result && result != text)
		*made = (char *)result;
	return result;
}

static void print_header(struct help *help, const struct argp *argp, const char *header)
{
	char *made;
	const char *text = filter(help, argp, ARGP_KEY_HELP_HEADER, header, &made);

	if (text && *text) {
		if (help->previous)
			wb_text_put(&help->text, "\n");
		wb_text_indent(&help->text, HEADER_COLUMN);
		wb_text_set_left(&help->text, HEADER_COLUMN);
		wb_text_set_wrapped(&help->text, HEADER_COLUMN);
		wb_text_put(&help->text, text);
		wb_text_set_left(&help->text, 0);
		wb_text_put(&help->text, "\n");
	}
	if (text)
		help->separates_groups = true;
	free(made);
}

static bool is_inside(const struct cluster *cluster, const struct cluster *other)
{
	while (cluster && cluster != other)
		cluster = cluster->parent;
	return cluster;
}

// Before each name of an option: a comma, or before the first what separates the option from others.
static void before_name(struct help *help, const struct entry *entry, int column, bool *is_first)
{
	const struct entry *previous = help->previous;
	const struct cluster *cluster = entry->cluster;

	if (!*is_first) {
		wb_text_put(&help->text, ", ");
	} else {
		if (help->separates_groups && previous && entry->group != previous->group)
			wb_text_put(&help->text, "\n");
		if (cluster && cluster->header && *cluster->header &&
		    (!previous || (previous->cluster != cluster && !is_inside(previous->cluster, cluster)))) {
			int wrapped = help->text.wrapped;

			print_header(help, cluster->argp, cluster->header);
			wb_text_set_wrapped(&help->text, wrapped);
		}
		*is_first = false;
	}
	wb_text_indent(&help->text, column);
}

static void print_argument(struct help *help, const struct argp_option *real, const char *needed, const char *optional)
{
	if (!real->arg)
		return;
	wb_text_put(&help->text, real->flags & OPTION_ARG_OPTIONAL ? optional : needed);
	wb_text_put(&help->text, real->arg);
	if (real->flags & OPTION_ARG_OPTIONAL)
		wb_text_put(&help->text, "]");
}

static void print_entry(struct help *help, const struct entry *entry)
{
	const struct argp_option *real = entry->option;
	const char *letter = entry->letters, *doc;
	int left = help->text.left, wrapped = help->text.wrapped;
	bool is_first = true, has_long = false;
	char *made = NULL;

	for (int i = 0; i < entry->aliases; i++)
		has_long |= real[i].name && is_visible(&real[i]);
	wb_text_set_wrapped(&help->text, LETTER_COLUMN);
	for (int i = 0; i < entry->aliases; i++) {
		if (!wb_option_has_letter(&real[i]) || real[i].key != *letter)
			continue;
		letter++;
		if (!is_visible(&real[i]))
			continue;
		before_name(help, entry, LETTER_COLUMN, &is_first);
		wb_text_printf(&help->text, "-%c", real[i].key);
		if (!has_long || is_documentation(real))
			print_argument(help, real, " ", "[");
		else if (real->arg)
			help->left_out_argument = true;
	}
	wb_text_set_wrapped(&help->text, is_documentation(real) ? DOC_OPTION_COLUMN : LONG_COLUMN);
	for (int i = 0; i < entry->aliases; i++) {
		if (!real[i].name || !is_visible(&real[i]) || (is_documentation(real) && !*real[i].name))
			continue;
		if (is_documentation(real)) {
			before_name(help, entry, DOC_OPTION_COLUMN, &is_first);
			wb_text_put(&help->text, real[i].name);
			continue;
		}
		before_name(help, entry, LONG_COLUMN, &is_first);
		wb_text_printf(&help->text, "--%s", real[i].name);
		print_argument(help, real, "=", "[=");
	}

	wb_text_set_left(&help->text, 0);
	if (is_first) {
		// No name was printed: a header, or an option that others hide.
		if (wb_option_has_letter(real) || real->name)
			goto out;
		print_header(help, entry->argp, real->doc);
	} else {
		doc = filter(help, entry->argp, real->key, real->doc, &made);
		if (doc && *doc) {
			int column = wb_text_column(&help->text);

			wb_text_set_left(&help->text, DOC_COLUMN);
			wb_text_set_wrapped(&help->text, DOC_COLUMN);
			if (column > DOC_COLUMN + 3)
				wb_text_put(&help->text, "\n");
			else if (column >= DOC_COLUMN)
				wb_text_put(&help->text, "   ");
			else
				wb_text_indent(&help->text, DOC_COLUMN);
			wb_text_put(&help->text, doc);
		}
		free(made);
		wb_text_set_left(&help->text, 0);
		wb_text_put(&help->text, "\n");
	}
	help->previous = entry;
out:
	wb_text_set_left(&help->text, left);
	wb_text_set_wrapped(&help->text, wrapped);
}

static void print_list(struct help *help, const struct list *list, const struct argp *root)
{
	const char *note = "Mandatory or optional arguments to long options are also mandatory or optional for any "
			   "corresponding short options.";
	char *made;

	for (size_t i = 0; i < list->count; i++)
		print_entry(help, &list->entries[i]);
	if (!help->left_out_argument)
		return;
	note = filter(help, root, ARGP_KEY_HELP_DUP_ARGS_NOTE, note, &made);
	if (note && *note) {
		wb_text_put(&help->text, "\n");
		wb_text_put(&help->text, note);
		wb_text_put(&help->text, "\n");
	}
	free(made);
}

// All options in short: letters alone, letters with arguments, long names.
static void print_options(struct help *help, const struct list *list)
{
	char alone[128];
	int count = 0;

	for (int pass = 0; pass < 3; pass++) {
		for (size_t i = 0; i < list->count; i++) {
			const struct entry *entry = &list->entries[i];
			const struct argp_option *real = entry->option;
			const char *letter = entry->letters;

			for (int alias = 0; alias < entry->aliases; alias++) {
				const struct argp_option *option = &real[alias];
				int flags = option->flags | real->flags;
				const char *argument = option->arg ? option->arg : real->arg;
				bool has_letter = wb_option_has_letter(option) && option->key == *letter;

				if (has_letter)
					letter++;
				if (!is_visible(option) || flags & OPTION_NO_USAGE)
					continue;
				if (pass == 0 && has_letter && !argument && count < (int)sizeof(alone) - 1) {
					alone[count++] = option->key;
				} else if (pass == 1 && has_letter && argument) {
					if (flags & OPTION_ARG_OPTIONAL) {
						wb_text_printf(&help->text, " [-%c[%s]]", option->key, argument);
					} else {
						wb_text_space(&help->text, 6 + strlen(argument));
						wb_text_printf(&help->text, "[-%c %s]", option->key, argument);
					}
				} else if (pass == 2 && option->name) {
					if (!argument)
						wb_text_printf(&help->text, " [--%s]", option->name);
					else if (flags & OPTION_ARG_OPTIONAL)
						wb_text_printf(&help->text, " [--%s[=%s]]", option->name, argument);
					else
						wb_text_printf(&help->text, " [--%s=%s]", option->name, argument);
				}
			}
		}
		if (!pass && count)
			wb_text_printf(&help->text, " [-%.*s]", count, alone);
	}
}

// How many of an argp, and of what it is made of, have several forms of arguments.
static size_t count_levels(const struct argp *argp)
{
	size_t count = argp->args_doc && strchr(argp->args_doc, '\n') ? 1 : 0;

	for (const struct argp_child *child = argp->children; child && child->argp; child++)
		count += count_levels(child->argp);
	return count;
}

// Prints one form of the arguments; each level counts through the forms of one argp. True if there are more.
static bool print_arguments(struct help *help, const struct argp *argp, unsigned char **levels, bool advance)
{
	unsigned char *level = *levels;
	bool has_forms = false;
	const char *end = NULL;
	char *made;
	const char *text = filter(help, argp, ARGP_KEY_HELP_ARGS_DOC, argp->args_doc, &made);

	// The levels were counted by what is there without the filter.
	bool has_level = argp->args_doc && strchr(argp->args_doc, '\n');

	if (has_level)
		(*levels)++;
	if (text) {
		const char *form = text;

		end = strchrnul(form, '\n');
		if (*end && has_level) {
			has_forms = true;
			for (int i = 0; i < *level && *end; i++) {
				form = end + 1;
				end = strchrnul(form, '\n');
			}
		}
		wb_text_space(&help->text, 1 + (end - form));
		wb_text_write(&help->text, form, end - form);
	}
	bool is_last = !end || !*end;

	free(made);
	for (const struct argp_child *child = argp->children; child && child->argp; child++)
		advance = !print_arguments(help, child->argp, levels, advance);
	if (advance && has_forms) {
		if (!is_last) {
			(*level)++;
			advance = false;
		} else {
			*level = 0;
		}
	}
	return !advance;
}

static void end_line(struct help *help)
{
	if (wb_text_column(&help->text) > help->text.left)
		wb_text_put(&help->text, "\n");
}

// The description before the options (up to a vertical tab), or what comes after them. True if something was printed.
static bool print_description(struct help *help, const struct argp *argp, bool is_after, bool blank_before, bool only_first)
{
	const char *tab = argp->doc ? strchr(argp->doc, '\v') : NULL, *wanted, *text;
	char *before = NULL, *made;
	bool printed = false;

	if (is_after)
		wanted = tab ? tab + 1 : NULL;
	else if (tab)
		wanted = before = strndup(argp->doc, tab - argp->doc);
	else
		wanted = argp->doc;
	text = filter(help, argp, is_after ? ARGP_KEY_HELP_POST_DOC : ARGP_KEY_HELP_PRE_DOC, wanted, &made);
	if (text) {
		if (blank_before)
			wb_text_put(&help->text, "\n");
		wb_text_put(&help->text, text);
		end_line(help);
		printed = true;
	}
	free(made);
	free(before);
	if (is_after && argp->help_filter) {
		text = filter(help, argp, ARGP_KEY_HELP_EXTRA, NULL, &made);
		if (text) {
			if (printed || blank_before)
				wb_text_put(&help->text, "\n");
			wb_text_put(&help->text, text);
			end_line(help);
			printed = true;
		}
		free(made);
	}
	for (const struct argp_child *child = argp->children; child && child->argp && !(only_first && printed); child++)
		printed |= print_description(help, child->argp, is_after, printed || blank_before, only_first);
	return printed;
}

static void print_usage(struct help *help, const struct argp *argp, const struct list *list, unsigned int flags, const char *name)
{
	unsigned char *levels = calloc(count_levels(argp) + 1, 1), *level;
	bool is_first = true, more;

	if (!levels)
		return;
	do {
		wb_text_set_wrapped(&help->text, USAGE_COLUMN);
		wb_text_printf(&help->text, "%s %s", is_first ? "Usage:" : "  or: ", name);
		wb_text_set_left(&help->text, USAGE_COLUMN);
		if (flags & ARGP_HELP_SHORT_USAGE) {
			if (list->count)
				wb_text_put(&help->text, " [OPTION...]");
		} else {
			print_options(help, list);
			flags |= ARGP_HELP_SHORT_USAGE;
		}
		level = levels;
		more = print_arguments(help, argp, &level, true);
		wb_text_set_wrapped(&help->text, 0);
		wb_text_set_left(&help->text, 0);
		wb_text_put(&help->text, "\n");
		is_first = false;
	} while (more);
	free(levels);
}

static void print_help(const struct argp *argp, const struct argp_state *state, FILE *stream, unsigned int flags, const char *name)
{
	struct help help = { .text.stream = stream, .state = state };
	bool anything = false;
	struct list list;

	if (!make_list(&list, argp)) {
		free_list(&list);
		return;
	}
	if (flags & (ARGP_HELP_USAGE | ARGP_HELP_SHORT_USAGE)) {
		print_usage(&help, argp, &list, flags, name);
		anything = true;
	}
	if (flags & ARGP_HELP_PRE_DOC)
		anything |= print_description(&help, argp, false, false, true);
	if (flags & ARGP_HELP_SEE) {
		wb_text_printf(&help.text, "Try `%s --help' or `%s --usage' for more information.\n", name, name);
		anything = true;
	}
	if (flags & ARGP_HELP_LONG && list.count) {
		if (anything)
			wb_text_put(&help.text, "\n");
		print_list(&help, &list, argp);
		anything = true;
	}
	if (flags & ARGP_HELP_POST_DOC)
		anything |= print_description(&help, argp, true, anything, false);
	if (flags & ARGP_HELP_BUG_ADDR && argp_program_bug_address) {
		if (anything)
			wb_text_put(&help.text, "\n");
		wb_text_printf(&help.text, "Report bugs to %s.\n", argp_program_bug_address);
	}
	wb_text_finish(&help.text);
	free_list(&list);
}

void argp_help(const struct argp *argp, FILE *stream, unsigned int flags, char *name)
{
	print_help(argp, NULL, stream, flags, name);
}

void argp_state_help(const struct argp_state *state, FILE *stream, unsigned int flags)
{
	if ((state && state->flags & ARGP_NO_ERRS) || !stream)
		return;
	if (state)
		print_help(state->root_argp, state, stream, flags, state->name);
	if (state && state->flags & ARGP_NO_EXIT)
		return;
	if (flags & ARGP_HELP_EXIT_ERR)
		exit(argp_err_exit_status);
	if (flags & ARGP_HELP_EXIT_OK)
		exit(0);
}

void argp_usage(const struct argp_state *state)
{
	argp_state_help(state, stderr, ARGP_HELP_STD_USAGE);
}

static const char *name_of(const struct argp_state *state)
{
	return state ? state->name : program_invocation_short_name;
}

void argp_error(const struct argp_state *state, const char *format, ...)
{
	FILE *stream = state ? state->err_stream : stderr;
	va_list list;

	if ((state && state->flags & ARGP_NO_ERRS) || !stream)
		return;
	fprintf(stream, "%s: ", name_of(state));
	va_start(list, format);
	vfprintf(stream, format, list);
	va_end(list);
	fputc('\n', stream);
	argp_state_help(state, stream, ARGP_HELP_STD_ERR);
}

void argp_failure(const struct argp_state *state, int status, int error, const char *format, ...)
{
	FILE *stream = state ? state->err_stream : stderr;
	va_list list;

	if ((state && state->flags & ARGP_NO_ERRS) || !stream)
		return;
	fputs(name_of(state), stream);
	if (format) {
		fputs(": ", stream);
		va_start(list, format);
		vfprintf(stream, format, list);
		va_end(list);
	}
	if (error)
		fprintf(stream, ": %s", strerror(error));
	fputc('\n', stream);
	if (status && (!state || !(state->flags & ARGP_NO_EXIT)))
		exit(status);
}
