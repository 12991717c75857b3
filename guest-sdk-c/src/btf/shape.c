// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "btf.h"

const struct wb_btf_shape *wb_btf_shape(const struct btf_type *type)
{
	static const struct wb_btf_shape shapes[] = {
		[BTF_KIND_INT] = { .words = 1 },
		[BTF_KIND_PTR] = { .refers = true },
		[BTF_KIND_ARRAY] = { .words = 3, .ids = 3 },
		[BTF_KIND_STRUCT] = { .words = 3, .names = 1, .ids = 2, .is_repeated = true },
		[BTF_KIND_UNION] = { .words = 3, .names = 1, .ids = 2, .is_repeated = true },
		[BTF_KIND_ENUM] = { .words = 2, .names = 1, .is_repeated = true },
		[BTF_KIND_TYPEDEF] = { .refers = true },
		[BTF_KIND_VOLATILE] = { .refers = true },
		[BTF_KIND_CONST] = { .refers = true },
		[BTF_KIND_RESTRICT] = { .refers = true },
		[BTF_KIND_FUNC] = { .refers = true },
		[BTF_KIND_FUNC_PROTO] = { .words = 2, .names = 1, .ids = 2, .is_repeated = true, .refers = true },
		[BTF_KIND_VAR] = { .words = 1, .refers = true },
		[BTF_KIND_DATASEC] = { .words = 3, .ids = 1, .is_repeated = true },
		[BTF_KIND_DECL_TAG] = { .words = 1, .refers = true },
		[BTF_KIND_TYPE_TAG] = { .refers = true },
		[BTF_KIND_ENUM64] = { .words = 3, .names = 1, .is_repeated = true },
	};
	unsigned int kind = btf_kind(type);

	return kind >= BTF_KIND_INT && kind <= BTF_KIND_ENUM64 ? &shapes[kind] : NULL;
}

struct wb_btf_words wb_btf_words(struct btf_type *type)
{
	const struct wb_btf_shape *shape = wb_btf_shape(type);
	const uint32_t times = shape->is_repeated ? btf_vlen(type) : 1;

	return (struct wb_btf_words){
		.shape = shape,
		.head = (uint32_t *)type,
		.word = (uint32_t *)(type + 1),
		.left = shape->words * times,
	};
}

uint32_t *wb_btf_next_word(struct wb_btf_words *words, bool *is_id)
{
	const struct wb_btf_shape *shape = words->shape;

	// First those of the head: its name, and what it refers to.
	if (words->state == 0) {
		words->state = 1;
		*is_id = false;
		return words->head;
	}
	if (words->state == 1) {
		words->state = 2;
		*is_id = true;
		if (shape->refers)
			return words->head + 2;
	}
	while (words->left) {
		uint32_t *word = words->word++;
		const uint8_t bit = 1 << words->column;

		words->left--;
		words->column = words->column + 1 == shape->words ? 0 : words->column + 1;
		*is_id = shape->ids & bit;
		if (*is_id || shape->names & bit)
			return word;
	}
	return NULL;
}
