// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dump.h"

#include <stdlib.h>
#include <string.h>

#include "../options.h"

void wb_dump_print(struct btf_dump *dump, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	dump->print(dump->context, format, arguments);
	va_end(arguments);
}

void wb_dump_indent(struct btf_dump *dump, int level)
{
	static const char tabs[] = "\t\t\t\t\t\t\t\t\t\t\t\t\t";
	const int most = sizeof(tabs) - 1;

	wb_dump_print(dump, "%s", level < most ? tabs + most - level : tabs);
}

bool wb_dump_enter(struct btf_dump *dump, uint32_t id)
{
	if (dump->depth < WB_DUMP_DEPTH) {
		dump->depth++;
		return true;
	}
	if (!dump->error)
		dump->error = wb_refuse(ELOOP, "BTF: type %u contains others without an end", id);
	return false;
}

// The slot of a name; NULL, with an error, if there is no memory for a new one.
static uint32_t *count_of(struct btf_dump *dump, struct wb_dump_names *names, uint32_t offset)
{
	const char *text = btf__str_by_offset(dump->btf, offset);
	uint32_t hash = 2166136261u;

	if (names->used >= names->room / 4 * 3) {
		struct wb_dump_names larger = { .room = names->room ? names->room * 2 : 256 };

		larger.offsets = calloc(larger.room, sizeof(*larger.offsets));
		larger.counts = calloc(larger.room, sizeof(*larger.counts));
		if (!larger.offsets || !larger.counts) {
			free(larger.offsets);
			free(larger.counts);
			dump->error = -ENOMEM;
			return NULL;
		}
		for (uint32_t i = 0; i < names->room; i++)
			if (names->offsets[i])
				*count_of(dump, &larger, names->offsets[i]) = names->counts[i];
		free(names->offsets);
		free(names->counts);
		*names = larger;
	}
	for (const char *c = text; *c; c++)
		hash = (hash ^ (uint8_t)*c) * 16777619u;
	for (;; hash++) {
		const uint32_t at = hash & (names->room - 1);

		if (!names->offsets[at]) {
			names->offsets[at] = offset;
			names->used++;
		} else if (strcmp(btf__str_by_offset(dump->btf, names->offsets[at]), text)) {
			continue;
		}
		return &names->counts[at];
	}
}

// Which use of a name this is: 1 for the first.
static uint32_t use(struct btf_dump *dump, struct wb_dump_names *names, uint32_t offset)
{
	uint32_t *count = count_of(dump, names, offset);

	return count ? ++*count : 1;
}

void wb_dump_print_use(struct btf_dump *dump, const char *name, uint32_t use)
{
	wb_dump_print(dump, use > 1 ? "%s___%u" : "%s", name, use);
}

static uint32_t use_of(struct btf_dump *dump, struct wb_dump_names *names, uint32_t id)
{
	const struct btf_type *type = wb_btf_type(dump->btf, id);

	// What is only declared shares its name with what it stands for.
	if (!dump->uses[id] && type->name_off)
		dump->uses[id] = btf_is_fwd(type) || (btf_is_enum(type) && !btf_vlen(type)) ? 1 : use(dump, names, type->name_off);
	return dump->uses[id];
}

void wb_dump_print_tag(struct btf_dump *dump, uint32_t id)
{
	wb_dump_print_use(dump, wb_btf_name(dump->btf, wb_btf_type(dump->btf, id)), use_of(dump, &dump->tags, id));
}

uint32_t wb_dump_identifier(struct btf_dump *dump, uint32_t id)
{
	return use_of(dump, &dump->identifiers, id);
}

// Names of values are identifiers too, and used twice in the kernel, in different files.
static void print_value_name(struct btf_dump *dump, uint32_t offset)
{
	wb_dump_print_use(dump, btf__str_by_offset(dump->btf, offset), offset ? use(dump, &dump->identifiers, offset) : 1);
}

void wb_dump_define_enum(struct btf_dump *dump, uint32_t id, int level)
{
	const struct btf_type *type = wb_btf_type(dump->btf, id);
	const uint32_t count = btf_vlen(type);
	bool has_wide = false;

	wb_dump_print(dump, type->name_off ? "enum " : "enum");
	wb_dump_print_tag(dump, id);
	if (!count)
		return;
	wb_dump_print(dump, " {");
	for (uint32_t i = 0; i < count; i++) {
		wb_dump_print(dump, "\n");
		wb_dump_indent(dump, level + 1);
		if (btf_is_enum(type)) {
			const struct btf_enum *value = &btf_enum(type)[i];

			print_value_name(dump, value->name_off);
			wb_dump_print(dump, btf_kflag(type) ? " = %d," : " = %u,", value->val);
		} else {
			const uint32_t *words = (const uint32_t *)(type + 1) + 3 * i;
			const unsigned long long value = words[1] | (uint64_t)words[2] << 32;

			print_value_name(dump, words[0]);
			wb_dump_print(dump, btf_kflag(type) ? " = %lldLL," : " = %lluULL,", value);
			has_wide |= words[2];
		}
	}
	wb_dump_print(dump, "\n");
	wb_dump_indent(dump, level);
	wb_dump_print(dump, "}");
	// Sizes that the values alone do not give.
	if (type->size == 1)
		wb_dump_print(dump, " __attribute__((mode(byte)))");
	else if (type->size == 8 && wb_btf_pointer_size(dump->btf) == 8 && !has_wide)
		wb_dump_print(dump, " __attribute__((mode(word)))");
}

int wb_dump_grow(struct btf_dump *dump)
{
	const uint32_t count = btf__type_cnt(dump->btf), known = dump->known;
	void *states, *uses;

	if (count <= known)
		return 0;
	states = realloc(dump->states, count * sizeof(*dump->states));
	if (states)
		dump->states = states;
	uses = realloc(dump->uses, count * sizeof(*dump->uses));
	if (uses)
		dump->uses = uses;
	if (!states || !uses) {
		errno = ENOMEM;
		return -ENOMEM;
	}
	memset(dump->states + known, 0, (count - known) * sizeof(*dump->states));
	memset(dump->uses + known, 0, (count - known) * sizeof(*dump->uses));
	if (!known) {
		dump->states[0].order = WB_DUMP_DONE;
		dump->states[0].emit = WB_DUMP_DONE;
	}
	// An enumeration without a name that no other type refers to stands for its values alone.
	for (uint32_t id = known; id < count; id++) {
		struct wb_btf_words words;
		uint32_t *word;
		bool is_id;

		if (!id)
			continue;
		words = wb_btf_words(wb_btf_type(dump->btf, id));
		while ((word = wb_btf_next_word(&words, &is_id)))
			if (is_id && *word < count)
				dump->states[*word].is_referenced = true;
	}
	dump->known = count;
	return 0;
}

struct btf_dump *btf_dump__new(const struct btf *btf, btf_dump_printf_fn_t print, void *context, const struct btf_dump_opts *opts)
{
	struct btf_dump *dump;

	if (!WB_OPTIONS_VALID(opts, btf_dump_opts))
		return wb_null(-EINVAL);
	if (!btf || !print)
		return wb_null(wb_refuse(EINVAL, "types are written with a function that prints"));
	dump = calloc(1, sizeof(*dump));
	if (!dump)
		return wb_null(-ENOMEM);
	dump->btf = btf;
	dump->print = print;
	dump->context = context;
	if (wb_dump_grow(dump)) {
		btf_dump__free(dump);
		return wb_null(-ENOMEM);
	}
	return dump;
}

void btf_dump__free(struct btf_dump *dump)
{
	if (!dump)
		return;
	free(dump->states);
	free(dump->uses);
	free(dump->tags.offsets);
	free(dump->tags.counts);
	free(dump->identifiers.offsets);
	free(dump->identifiers.counts);
	free(dump->queue);
	free(dump);
}
