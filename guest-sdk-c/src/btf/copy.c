// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Adding types of another struct btf.
#include <string.h>

#include "change.h"

// Copies a type behind those that are there, with its names. Ids from `from` on grow by `by`.
static int copy(struct btf *btf, const struct btf *source, const struct btf_type *type, uint32_t from, uint32_t by)
{
	const struct wb_btf_shape *shape = wb_btf_shape(type);
	struct wb_btf_words words;
	uint32_t *word, size;
	bool is_id;
	int err;

	if (!shape)
		return wb_refuse(EINVAL, "BTF: a type of the kind %u, which is not known", btf_kind(type));
	size = wb_btf_size(type, shape);
	err = wb_btf_reserve(btf, size, 1);
	if (err)
		return err;
	memcpy(btf->types + btf->types_size, type, size);
	words = wb_btf_words((struct btf_type *)(btf->types + btf->types_size));
	while ((word = wb_btf_next_word(&words, &is_id))) {
		if (!is_id) {
			const char *text = btf__str_by_offset(source, *word);
			int name = text ? wb_btf_add_name(btf, text) : -EINVAL;

			if (name < 0)
				return name;
			*word = name;
		} else if (*word >= from) {
			*word += by;
		}
	}
	return wb_btf_commit(btf, size);
}

int btf__add_type(struct btf *btf, const struct btf *source, const struct btf_type *type)
{
	const uint8_t *bytes = (const uint8_t *)type;
	const bool is_own = bytes >= btf->types && bytes < btf->types + btf->types_size;
	const uint32_t offset = is_own ? bytes - btf->types : 0;
	const struct wb_btf_shape *shape = wb_btf_shape(type);
	int err;

	err = wb_btf_change(btf);
	if (!err && shape)
		err = wb_btf_reserve(btf, wb_btf_size(type, shape), 1);
	if (err)
		return err;
	// It moved with the others.
	if (is_own)
		type = (const struct btf_type *)(btf->types + offset);
	return copy(btf, source, type, 0, 0);
}

int btf__add_btf(struct btf *btf, const struct btf *source)
{
	const uint32_t first = btf__type_cnt(btf), strings = btf->strings_size, types = btf->types_size, count = btf->count;
	// More may be there than when it began, if it is added to itself.
	const uint32_t source_count = source->count;
	int err;

	if (source->base && source->base != btf->base)
		return wb_refuse(EOPNOTSUPP, "BTF: types that continue others are added to those that continue the same");
	err = wb_btf_change(btf);
	// All at once, so that none of the source's moves then.
	if (!err)
		err = wb_btf_reserve(btf, source->types_size, source_count);
	for (uint32_t i = 0; i < source_count && err >= 0; i++)
		err = copy(btf, source, wb_btf_type(source, source->first_id + i), source->first_id, first - source->first_id);
	if (err < 0) {
		btf->types_size = types;
		btf->count = count;
		wb_btf_forget_strings(btf, strings);
		errno = -err;
		return err;
	}
	return first;
}
