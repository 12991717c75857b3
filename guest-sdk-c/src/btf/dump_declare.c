// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Declarations of C: what stands left of a name, and what stands right of it.
#include <string.h>

#include "../options.h"
#include "dump.h"

static bool is_modifier(const struct btf_type *type)
{
	return btf_is_mod(type) && !btf_is_type_tag(type);
}

// Behind modifiers, and behind tags too if those are not written.
static uint32_t skip(const struct btf_dump *dump, uint32_t id, bool tags)
{
	for (int depth = 0; depth < WB_DUMP_DEPTH; depth++) {
		const struct btf_type *type = wb_btf_type(dump->btf, id);

		if (!is_modifier(type) && !(tags && btf_is_type_tag(type)))
			return id;
		id = type->type;
	}
	// Without an end: void, which can be written.
	return 0;
}

// An array or a function, to which a pointer is written in brackets. What modifies these, or is a tag on them, cannot be written; compilers
// say it once more of the elements.
static const struct btf_type *bracketed(const struct btf_dump *dump, uint32_t id)
{
	const struct btf_type *type = wb_btf_type(dump->btf, skip(dump, id, true));

	return btf_is_array(type) || btf_is_func_proto(type) ? type : NULL;
}

// The modifiers from a type to what they modify, from the inside to the outside.
static void print_modifiers(struct btf_dump *dump, uint32_t id, uint32_t inner, const char *before, const char *after)
{
	const struct btf_type *type = wb_btf_type(dump->btf, id);

	if (id == inner || dump->without_modifiers || !wb_dump_enter(dump, id))
		return;
	print_modifiers(dump, type->type, inner, before, after);
	wb_dump_print(dump, "%s%s%s", before, btf_is_volatile(type) ? "volatile" : btf_is_const(type) ? "const" : "restrict", after);
	wb_dump_leave(dump);
}

static void print_base(struct btf_dump *dump, uint32_t id, int level)
{
	const struct btf_type *type = wb_btf_type(dump->btf, id);
	const bool has_body = !type->name_off && !dump->without_bodies;

	switch (btf_kind(type)) {
	case BTF_KIND_UNKN:
		wb_dump_print(dump, "void");
		return;
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
		wb_dump_print(dump, "%s", wb_btf_name(dump->btf, type));
		return;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		if (has_body)
			wb_dump_define_struct(dump, id, level);
		else
			wb_dump_declare_struct(dump, id);
		return;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		if (has_body) {
			wb_dump_define_enum(dump, id, level);
		} else {
			wb_dump_print(dump, "enum ");
			wb_dump_print_tag(dump, id);
		}
		return;
	case BTF_KIND_FWD:
		wb_dump_declare_forward(dump, id);
		return;
	case BTF_KIND_TYPEDEF:
		wb_dump_print_use(dump, wb_btf_name(dump->btf, type), wb_dump_identifier(dump, id));
		return;
	}
	if (!dump->error)
		dump->error = wb_refuse(EINVAL, "BTF: type %u of the kind %u is no type of a declaration", id, btf_kind(type));
}

// `is_named`: a name follows. Returns whether the last that was written is a `*`, to which the next is put without a space.
static bool print_left(struct btf_dump *dump, uint32_t id, bool is_named, int level)
{
	const struct btf_type *brackets = bracketed(dump, id), *type;
	bool is_star = false;
	uint32_t inner;

	if (!wb_dump_enter(dump, id))
		return false;
	inner = skip(dump, id, dump->without_modifiers);
	type = wb_btf_type(dump->btf, inner);
	if (brackets) {
		is_star = print_left(dump, btf_is_array(brackets) ? btf_array(brackets)->type : brackets->type, is_named, level);
	} else if (btf_is_ptr(type)) {
		is_star = print_left(dump, type->type, is_named, level);
		brackets = bracketed(dump, type->type);
		if (brackets)
			wb_dump_print(dump, btf_is_func_proto(brackets) || (is_named && !is_star) ? " (*" : "(*");
		else
			wb_dump_print(dump, is_star ? "*" : " *");
		is_star = inner == id || dump->without_modifiers;
		print_modifiers(dump, id, inner, " ", "");
	} else if (btf_is_type_tag(type)) {
		print_left(dump, type->type, is_named, level);
		wb_dump_print(dump, btf_kflag(type) ? " __attribute__((%s))" : " __attribute__((btf_type_tag(\"%s\")))",
			      wb_btf_name(dump->btf, type));
		print_modifiers(dump, id, inner, " ", "");
	} else {
		print_modifiers(dump, id, inner, "", " ");
		print_base(dump, inner, level);
	}
	wb_dump_leave(dump);
	return is_star;
}

static void print_parameters(struct btf_dump *dump, const struct btf_type *prototype, int level)
{
	const struct btf_param *parameters = btf_params(prototype);
	const uint32_t count = btf_vlen(prototype);

	if (!count || (count == 1 && !parameters[0].type)) {
		wb_dump_print(dump, "(void)");
		return;
	}
	for (uint32_t i = 0; i < count; i++) {
		wb_dump_print(dump, i ? ", " : "(");
		if (i == count - 1 && !parameters[i].type)
			wb_dump_print(dump, "...");
		else
			wb_dump_declare(dump, parameters[i].type, btf__str_by_offset(dump->btf, parameters[i].name_off), level);
	}
	wb_dump_print(dump, ")");
}

static void print_right(struct btf_dump *dump, uint32_t id, int level)
{
	const struct btf_type *type = wb_btf_type(dump->btf, skip(dump, id, true));

	if (!wb_dump_enter(dump, id))
		return;
	switch (btf_kind(type)) {
	case BTF_KIND_ARRAY:
		wb_dump_print(dump, "[%u]", btf_array(type)->nelems);
		print_right(dump, btf_array(type)->type, level);
		break;
	case BTF_KIND_FUNC_PROTO:
		print_parameters(dump, type, level);
		print_right(dump, type->type, level);
		break;
	case BTF_KIND_PTR:
		if (bracketed(dump, type->type))
			wb_dump_print(dump, ")");
		print_right(dump, type->type, level);
		break;
	}
	wb_dump_leave(dump);
}

static void declare(struct btf_dump *dump, uint32_t id, const char *name, uint32_t use, int level)
{
	bool is_star;

	if (!wb_dump_enter(dump, id))
		return;
	is_star = print_left(dump, id, *name, level);
	if (*name && !is_star)
		wb_dump_print(dump, " ");
	wb_dump_print_use(dump, name, use);
	print_right(dump, id, level);
	wb_dump_leave(dump);
}

void wb_dump_declare(struct btf_dump *dump, uint32_t id, const char *name, int level)
{
	declare(dump, id, name, 1, level);
}

void wb_dump_declare_struct(struct btf_dump *dump, uint32_t id)
{
	const struct btf_type *type = wb_btf_type(dump->btf, id);

	wb_dump_print(dump, "%s%s", btf_is_struct(type) ? "struct" : "union", type->name_off ? " " : "");
	wb_dump_print_tag(dump, id);
}

void wb_dump_declare_forward(struct btf_dump *dump, uint32_t id)
{
	wb_dump_print(dump, btf_kflag(wb_btf_type(dump->btf, id)) ? "union " : "struct ");
	wb_dump_print_tag(dump, id);
}

void wb_dump_define_typedef(struct btf_dump *dump, uint32_t id)
{
	const struct btf_type *type = wb_btf_type(dump->btf, id);
	const uint32_t use = wb_dump_identifier(dump, id);

	// GCC has written a void for what it knows by itself.
	if (!type->type && !strcmp(wb_btf_name(dump->btf, type), "__gnuc_va_list")) {
		wb_dump_print(dump, "typedef __builtin_va_list __gnuc_va_list");
		return;
	}
	wb_dump_print(dump, "typedef ");
	declare(dump, type->type, wb_btf_name(dump->btf, type), use, 0);
}

int btf_dump__emit_type_decl(struct btf_dump *dump, __u32 id, const struct btf_dump_emit_type_decl_opts *opts)
{
	const char *name = WB_OPTION(opts, field_name, NULL);
	int err;

	if (!WB_OPTIONS_VALID(opts, btf_dump_emit_type_decl_opts))
		return -EINVAL;
	err = wb_dump_grow(dump);
	if (err)
		return err;
	if (id >= dump->known)
		return wb_refuse(EINVAL, "BTF: there is no type %u", id);
	dump->error = 0;
	dump->without_modifiers = WB_OPTION(opts, strip_mods, false);
	wb_dump_declare(dump, id, name ? name : "", WB_OPTION(opts, indent_level, 0));
	dump->without_modifiers = false;
	if (dump->error)
		errno = -dump->error;
	return dump->error;
}
