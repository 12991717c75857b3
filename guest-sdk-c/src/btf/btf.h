// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a struct btf is made of. All of it is memory of the guest, also that of the kernel: who asks for one type mostly asks for more, and
// a pointer to a type has to stay valid.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/btf.h>

#include "errors.h"
#include "wasm_bpf.h"

#define BTF_MAX_ID 0x7fffffffu

struct btf {
	uint8_t *types;          // one after the other
	uint32_t types_size, types_room;
	char *strings;
	uint32_t strings_size, strings_room;
	uint32_t *offsets;       // of its own types in `types`
	uint32_t count, offsets_room;
	uint32_t first_id;       // of its own types
	uint32_t first_string;   // where its own strings begin, behind those of its base
	struct btf *base;
	bool owns_base;
	bool swapped;            // btf__raw_data is in the other byte order than the guest's
	int pointer_size;        // 0: not looked for yet; -1: there is no type that tells
	int fd;
	uint8_t *raw;            // all in one, in the guest's order; NULL: to be made
	uint32_t raw_size;
	bool is_separate;        // types and strings are memory of their own, not parts of raw
	uint8_t *raw_swapped;
	uint32_t swapped_size;
	struct wb_btf_index *index; // of strings, for those who add some
};

// What follows the head of a type of a kind: some words, once or `vlen` times, of which some are offsets of names and some are ids.
struct wb_btf_shape {
	uint8_t words;
	uint8_t names, ids;      // a bit for each word
	bool is_repeated;
	bool refers;             // `type` of the head is an id, not a size
};

// NULL for a kind that is not known.
const struct wb_btf_shape *wb_btf_shape(const struct btf_type *type);

// Bytes of a type of this shape.
static inline uint32_t wb_btf_size(const struct btf_type *type, const struct wb_btf_shape *shape)
{
	return sizeof(*type) + shape->words * 4 * (shape->is_repeated ? btf_vlen(type) : 1);
}

// The words of a type that refer to something, one after the other.
struct wb_btf_words {
	const struct wb_btf_shape *shape;
	uint32_t *head, *word;
	uint32_t left;           // words behind the head that were not looked at
	uint8_t column, state;
};

struct wb_btf_words wb_btf_words(struct btf_type *type);
// The next one, NULL after the last: whether it is an id or the offset of a name.
uint32_t *wb_btf_next_word(struct wb_btf_words *words, bool *is_id);

// A type that may be changed; the id has to exist.
struct btf_type *wb_btf_type(const struct btf *btf, uint32_t id);

static inline const char *wb_btf_name(const struct btf *btf, const struct btf_type *type)
{
	return btf__str_by_offset(btf, type->name_off);
}

// The size of pointers, also if no type tells.
uint32_t wb_btf_pointer_size(const struct btf *btf);

// BTF of memory that it owns from now on, also when this fails.
struct btf *wb_btf_take(void *raw, size_t size, struct btf *base);

// One without anything; NULL with ENOMEM.
struct btf *wb_btf_new(struct btf *base);

// To the other byte order, or from it.
void wb_btf_swap_words(void *words, size_t count);
void wb_btf_swap_header(struct btf_header *header);

// Reads what the host has; drops the handle.
struct btf *wb_btf_read(wasm_bpf_bpf_btf_own_btf_t handle, struct btf *base);

// That of /sys/kernel/btf/NAME.
struct btf *wb_btf_of_kernel(const char *name, struct btf *base);
