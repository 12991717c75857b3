// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A type with all that it needs, in an order in which C can be compiled: what is inside of another comes before it, and what is only
// pointed to may be declared before and defined after it.
#include <stdlib.h>
#include <string.h>

#include "dump.h"

static int queue(struct btf_dump *dump, uint32_t id)
{
	if (dump->queued == dump->queue_room) {
		const uint32_t room = dump->queue_room ? dump->queue_room * 2 : 64;
		void *moved = realloc(dump->queue, room * sizeof(*dump->queue));

		if (!moved)
			return -ENOMEM;
		dump->queue = moved;
		dump->queue_room = room;
	}
	dump->queue[dump->queued++] = id;
	return 0;
}

static int order(struct btf_dump *dump, uint32_t id, bool through_pointer);

static int order_members(struct btf_dump *dump, uint32_t id, const struct btf_type *type, bool through_pointer)
{
	const uint32_t count = btf_vlen(type);
	int needed;

	// Behind a pointer a declaration is enough, but what has no name is written where it is used.
	if (through_pointer && type->name_off)
		return 0;
	dump->states[id].order = WB_DUMP_OPEN;
	for (uint32_t i = 0; i < count; i++) {
		needed = order(dump, btf_members(type)[i].type, false);
		if (needed < 0)
			return needed;
	}
	if (type->name_off) {
		needed = queue(dump, id);
		if (needed < 0)
			return needed;
	}
	dump->states[id].order = WB_DUMP_DONE;
	return 1;
}

static int order_parameters(struct btf_dump *dump, const struct btf_type *type, bool through_pointer)
{
	const uint32_t count = btf_vlen(type);
	int all, needed;

	all = order(dump, type->type, through_pointer);
	for (uint32_t i = 0; i < count && all >= 0; i++) {
		needed = order(dump, btf_params(type)[i].type, through_pointer);
		if (needed)
			all = needed;
	}
	return all;
}

static int order_kind(struct btf_dump *dump, uint32_t id, const struct btf_type *type, bool through_pointer)
{
	int needed;

	switch (btf_kind(type)) {
	case BTF_KIND_PTR:
		needed = order(dump, type->type, true);
		dump->states[id].order = WB_DUMP_DONE;
		return needed;
	case BTF_KIND_ARRAY:
		return order(dump, btf_array(type)->type, false);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return order_members(dump, id, type, through_pointer);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
	case BTF_KIND_FWD:
		dump->states[id].order = WB_DUMP_DONE;
		needed = type->name_off || !dump->states[id].is_referenced ? queue(dump, id) : 0;
		return needed ? needed : 1;
	case BTF_KIND_TYPEDEF:
		needed = order(dump, type->type, through_pointer);
		if (needed < 0 || (through_pointer && !needed))
			return needed;
		dump->states[id].order = WB_DUMP_DONE;
		needed = queue(dump, id);
		return needed ? needed : 1;
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		return order(dump, type->type, through_pointer);
	case BTF_KIND_FUNC_PROTO:
		return order_parameters(dump, type, through_pointer);
	}
	// Numbers need no definition; functions, variables and tags are no types of C.
	dump->states[id].order = WB_DUMP_DONE;
	return 0;
}

// Puts what has to be defined before this into the queue, and then this. 1: whoever uses it needs the definition; 0: a declaration is
// enough.
static int order(struct btf_dump *dump, uint32_t id, bool through_pointer)
{
	const struct btf_type *type = wb_btf_type(dump->btf, id);
	int needed;

	if (dump->states[id].order == WB_DUMP_DONE)
		return 1;
	if (dump->states[id].order == WB_DUMP_OPEN) {
		if (btf_is_composite(type) && through_pointer && type->name_off)
			return 0;
		return wb_refuse(ELOOP, "BTF: type %u is a part of itself", id);
	}
	if (!wb_dump_enter(dump, id))
		return dump->error;
	needed = order_kind(dump, id, type, through_pointer);
	wb_dump_leave(dump);
	return needed;
}

static void end_definition(struct btf_dump *dump)
{
	wb_dump_print(dump, ";\n\n");
}

// What compilers know by themselves, and do not let anyone define.
static bool is_built_in(const struct btf_dump *dump, const struct btf_type *type)
{
	return !strcmp(wb_btf_name(dump->btf, type), "__builtin_va_list");
}

static void write_typedef(struct btf_dump *dump, uint32_t id)
{
	if (dump->states[id].is_declared)
		return;
	dump->states[id].is_declared = true;
	if (is_built_in(dump, wb_btf_type(dump->btf, id)))
		return;
	wb_dump_define_typedef(dump, id);
	end_definition(dump);
}

static void write_struct_declaration(struct btf_dump *dump, uint32_t id)
{
	if (dump->states[id].is_declared)
		return;
	dump->states[id].is_declared = true;
	wb_dump_declare_struct(dump, id);
	end_definition(dump);
}

// Of Arm's vectors GCC writes the names of types that it does not describe.
static void write_missing_number(struct btf_dump *dump, const struct btf_type *type)
{
	static const char *const known[][2] = {
		{ "__Poly8_t", "unsigned char" },
		{ "__Poly16_t", "unsigned short" },
		{ "__Poly64_t", "unsigned long long" },
		{ "__Poly128_t", "unsigned __int128" },
	};
	const char *name = wb_btf_name(dump->btf, type);

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(name, known[i][0]))
			wb_dump_print(dump, "typedef %s %s;\n\n", known[i][1], name);
}

static void write_type(struct btf_dump *dump, uint32_t id, uint32_t container);

static void write_members(struct btf_dump *dump, uint32_t id, const struct btf_type *type, uint32_t container)
{
	const uint32_t count = btf_vlen(type);

	dump->states[id].emit = WB_DUMP_OPEN;
	if (!container || !type->name_off) {
		for (uint32_t i = 0; i < count; i++)
			write_type(dump, btf_members(type)[i].type, type->name_off ? id : container);
	} else if (id != container) {
		write_struct_declaration(dump, id);
	}
	dump->states[id].emit = WB_DUMP_NEW;
	if (!container) {
		wb_dump_define_struct(dump, id, 0);
		end_definition(dump);
		dump->states[id].emit = WB_DUMP_DONE;
	}
}

// Met again while it is written: what can be declared is.
static void write_open(struct btf_dump *dump, uint32_t id, const struct btf_type *type, uint32_t container)
{
	if (btf_is_typedef(type))
		write_typedef(dump, id);
	else if (btf_is_composite(type) && id != container && type->name_off)
		write_struct_declaration(dump, id);
}

static void write_kind(struct btf_dump *dump, uint32_t id, const struct btf_type *type, uint32_t container)
{
	const uint32_t count = btf_vlen(type);

	switch (btf_kind(type)) {
	case BTF_KIND_INT:
		write_missing_number(dump, type);
		dump->states[id].emit = WB_DUMP_DONE;
		return;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		if (!container) {
			wb_dump_define_enum(dump, id, 0);
			end_definition(dump);
		}
		dump->states[id].emit = WB_DUMP_DONE;
		return;
	case BTF_KIND_FWD:
		wb_dump_declare_forward(dump, id);
		end_definition(dump);
		dump->states[id].emit = WB_DUMP_DONE;
		return;
	case BTF_KIND_PTR:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		write_type(dump, type->type, container);
		return;
	case BTF_KIND_ARRAY:
		write_type(dump, btf_array(type)->type, container);
		return;
	case BTF_KIND_TYPEDEF:
		dump->states[id].emit = WB_DUMP_OPEN;
		write_type(dump, type->type, id);
		write_typedef(dump, id);
		dump->states[id].emit = WB_DUMP_DONE;
		return;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		write_members(dump, id, type, container);
		return;
	case BTF_KIND_FUNC_PROTO:
		write_type(dump, type->type, container);
		for (uint32_t i = 0; i < count; i++)
			write_type(dump, btf_params(type)[i].type, container);
		return;
	}
}

// Declares what a type uses and is not there yet, then defines it; inside of a container only what is declared for it.
static void write_type(struct btf_dump *dump, uint32_t id, uint32_t container)
{
	const struct btf_type *type = wb_btf_type(dump->btf, id);

	if (dump->states[id].emit == WB_DUMP_DONE)
		return;
	if (dump->states[id].emit == WB_DUMP_OPEN) {
		write_open(dump, id, type, container);
		return;
	}
	if (!wb_dump_enter(dump, id))
		return;
	write_kind(dump, id, type, container);
	wb_dump_leave(dump);
}

int btf_dump__dump_type(struct btf_dump *dump, __u32 id)
{
	int err;

	err = wb_dump_grow(dump);
	if (err)
		return err;
	if (id >= dump->known)
		return wb_refuse(EINVAL, "BTF: there is no type %u", id);
	dump->error = 0;
	dump->queued = 0;
	err = order(dump, id, false);
	for (uint32_t i = 0; err >= 0 && i < dump->queued; i++)
		write_type(dump, dump->queue[i], 0);
	if (err > 0)
		err = 0;
	if (!err)
		err = dump->error;
	if (err)
		errno = -err;
	return err;
}
