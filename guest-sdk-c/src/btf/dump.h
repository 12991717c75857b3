// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writing types as C.
#pragma once

#include "btf.h"

// Types contain each other; those that someone made up may do so without an end. No compiler nests further than this.
#define WB_DUMP_DEPTH 96

// How often a name was used. A struct and a typedef may share one, so there are two of these.
struct wb_dump_names {
	uint32_t *offsets, *counts; // of names; 0: free
	uint32_t room, used;
};

enum wb_dump_state { WB_DUMP_NEW, WB_DUMP_OPEN, WB_DUMP_DONE };

struct btf_dump {
	const struct btf *btf;
	btf_dump_printf_fn_t print;
	void *context;
	struct {
		uint8_t order : 2, emit : 2; // enum wb_dump_state
		uint8_t is_declared : 1;     // a struct without its members, or a typedef, was written before
		uint8_t is_referenced : 1;
	} *states;
	uint32_t *uses;              // which use of its name a type is, the first is 1; 0: not counted yet
	uint32_t known;              // ids that there is room for
	struct wb_dump_names tags, identifiers;
	uint32_t *queue, queued, queue_room;
	bool without_modifiers, without_bodies;
	int depth, error;
};

// Room for types that were added to the BTF since. 0, or -ENOMEM.
int wb_dump_grow(struct btf_dump *dump);

void wb_dump_print(struct btf_dump *dump, const char *format, ...) __attribute__((format(printf, 2, 3)));
void wb_dump_indent(struct btf_dump *dump, int level);

// The name of a struct, a union or an enumeration.
void wb_dump_print_tag(struct btf_dump *dump, uint32_t id);

// A name that is used so many times: from the second on it is NAME___2.
void wb_dump_print_use(struct btf_dump *dump, const char *name, uint32_t use);

// Which use of its name a typedef is.
uint32_t wb_dump_identifier(struct btf_dump *dump, uint32_t id);

// A declaration of a name, which may be "", with this type.
void wb_dump_declare(struct btf_dump *dump, uint32_t id, const char *name, int level);

// What stands before the `;` of a definition, or of a declaration without a body.
void wb_dump_define_struct(struct btf_dump *dump, uint32_t id, int level);
void wb_dump_define_enum(struct btf_dump *dump, uint32_t id, int level);
void wb_dump_define_typedef(struct btf_dump *dump, uint32_t id);
void wb_dump_declare_struct(struct btf_dump *dump, uint32_t id);
void wb_dump_declare_forward(struct btf_dump *dump, uint32_t id);

// One level deeper: false, with an error, if that is too deep. Each true has an end.
bool wb_dump_enter(struct btf_dump *dump, uint32_t id);
static inline void wb_dump_leave(struct btf_dump *dump)
{
	dump->depth--;
}
