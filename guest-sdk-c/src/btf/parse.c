// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From bytes to a struct btf. They may come from anyone: nothing of them is used before it was looked at.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "btf.h"
#include "index.h"

void wb_btf_swap_words(void *data, size_t count)
{
	uint32_t *words = data;

	for (size_t i = 0; i < count; i++)
		words[i] = __builtin_bswap32(words[i]);
}

void wb_btf_swap_header(struct btf_header *header)
{
	header->magic = __builtin_bswap16(header->magic);
	wb_btf_swap_words(&header->hdr_len, 5);
}

struct btf *wb_btf_new(struct btf *base)
{
	struct btf *btf = calloc(1, sizeof(*btf));

	if (!btf)
		return wb_null(-ENOMEM);
	btf->fd = -1;
	btf->first_id = 1;
	if (base) {
		btf->base = base;
		btf->first_id = btf__type_cnt(base);
		btf->first_string = base->first_string + base->strings_size;
	}
	return btf;
}

void btf__free(struct btf *btf)
{
	if (!btf)
		return;
	if (btf->fd >= 0)
		close(btf->fd);
	if (btf->owns_base)
		btf__free(btf->base);
	if (btf->is_separate) {
		free(btf->types);
		free(btf->strings);
	}
	free(btf->raw);
	free(btf->raw_swapped);
	free(btf->offsets);
	if (btf->index)
		btf->index->free(btf->index);
	free(btf);
}

static int read_header(struct btf *btf)
{
	struct btf_header *header = (struct btf_header *)btf->raw;
	uint32_t rest;

	if (btf->raw_size < sizeof(*header))
		return wb_refuse(EINVAL, "BTF: %u bytes are less than a header", btf->raw_size);
	btf->swapped = header->magic == (uint16_t)__builtin_bswap16(BTF_MAGIC);
	if (btf->swapped) {
		// What more is in a longer header could not be put into the guest's order.
		if (header->hdr_len != __builtin_bswap32(sizeof(*header)))
			return wb_refuse(ENOTSUP, "BTF: a header of %u bytes in another byte order", __builtin_bswap32(header->hdr_len));
		wb_btf_swap_header(header);
	}
	if (header->magic != BTF_MAGIC)
		return wb_refuse(EINVAL, "BTF: it begins with %#x, not with %#x", header->magic, BTF_MAGIC);
	if (header->hdr_len < sizeof(*header) || header->hdr_len > btf->raw_size || header->hdr_len % 4)
		return wb_refuse(EINVAL, "BTF: a header of %u bytes in %u", header->hdr_len, btf->raw_size);
	rest = btf->raw_size - header->hdr_len;
	if (header->str_off > rest || header->str_len > rest - header->str_off)
		return wb_refuse(EINVAL, "BTF: names end behind its %u bytes", btf->raw_size);
	if (header->type_off % 4 || (uint64_t)header->type_off + header->type_len > header->str_off)
		return wb_refuse(EINVAL, "BTF: %u bytes of types do not fit at %u before the names at %u", header->type_len,
				 header->type_off, header->str_off);
	btf->types = btf->raw + header->hdr_len + header->type_off;
	btf->types_size = header->type_len;
	btf->strings = (char *)btf->raw + header->hdr_len + header->str_off;
	btf->strings_size = header->str_len;
	return 0;
}

static int check_strings(const struct btf *btf)
{
	if (!btf->strings_size && btf->base)
		return 0;
	if (!btf->strings_size || btf->strings_size > BTF_MAX_ID || btf->strings[btf->strings_size - 1])
		return wb_refuse(EINVAL, "BTF: the last of its names has no end");
	if (!btf->base && btf->strings[0])
		return wb_refuse(EINVAL, "BTF: the first of its names is not empty: it may continue types that were not given");
	return 0;
}

// Where each type begins; in the guest's byte order, if need be.
static int find_types(struct btf *btf)
{
	uint32_t at = 0, room = btf->types_size / 20 + 16;
	void *moved;

	// Most take 12 to 30 bytes: a first guess, which is mended at the end.
	btf->offsets = malloc(room * sizeof(*btf->offsets));
	if (!btf->offsets)
		return -ENOMEM;
	while (at < btf->types_size) {
		const uint32_t rest = btf->types_size - at, id = btf->first_id + btf->count;
		struct btf_type *type = (struct btf_type *)(btf->types + at);
		const struct wb_btf_shape *shape;
		uint32_t size;

		if (rest < sizeof(*type) || id > BTF_MAX_ID)
			return wb_refuse(EINVAL, "BTF: type %u is cut off", id);
		if (btf->swapped)
			wb_btf_swap_words(type, sizeof(*type) / 4);
		shape = wb_btf_shape(type);
		if (!shape)
			return wb_refuse(EINVAL, "BTF: type %u is of the kind %u, which is not known", id, btf_kind(type));
		size = wb_btf_size(type, shape);
		if (size > rest)
			return wb_refuse(EINVAL, "BTF: type %u is cut off", id);
		if (btf->swapped)
			wb_btf_swap_words(type + 1, (size - sizeof(*type)) / 4);
		if (btf->count == room) {
			room += room / 2;
			moved = realloc(btf->offsets, room * sizeof(*btf->offsets));
			if (!moved)
				return -ENOMEM;
			btf->offsets = moved;
		}
		btf->offsets[btf->count++] = at;
		at += size;
	}
	moved = realloc(btf->offsets, (btf->count + 1) * sizeof(*btf->offsets));
	if (moved) {
		btf->offsets = moved;
		room = btf->count + 1;
	}
	btf->offsets_room = room;
	return 0;
}

static int check_types(const struct btf *btf)
{
	const uint32_t end = btf__type_cnt(btf), strings_end = btf->first_string + btf->strings_size;

	for (uint32_t id = btf->first_id; id < end; id++) {
		struct btf_type *type = wb_btf_type(btf, id);
		struct wb_btf_words words = wb_btf_words(type);
		uint32_t *word;
		bool is_id;

		while ((word = wb_btf_next_word(&words, &is_id))) {
			if (is_id && *word >= end)
				return wb_refuse(EINVAL, "BTF: type %u refers to type %u, which is none", id, *word);
			if (!is_id && *word >= strings_end)
				return wb_refuse(EINVAL, "BTF: type %u has a name at %u, behind the last", id, *word);
		}
		if (btf_is_func(type) && !btf_is_func_proto(wb_btf_type(btf, type->type)))
			return wb_refuse(EINVAL, "BTF: the function %u refers to type %u, which is no prototype", id, type->type);
	}
	return 0;
}

struct btf *wb_btf_take(void *raw, size_t size, struct btf *base)
{
	struct btf *btf = wb_btf_new(base);
	int err;

	if (!btf) {
		free(raw);
		return wb_null(-ENOMEM);
	}
	btf->raw = raw;
	btf->raw_size = size;
	err = read_header(btf);
	if (!err)
		err = check_strings(btf);
	if (!err)
		err = find_types(btf);
	if (!err)
		err = check_types(btf);
	if (err) {
		btf__free(btf);
		return wb_null(err);
	}
	return btf;
}

struct btf *btf__new_split(const void *data, __u32 size, struct btf *base)
{
	void *raw;

	if (!data)
		return wb_null(wb_refuse(EINVAL, "BTF: no data"));
	raw = malloc(size ? size : 1);
	if (!raw)
		return wb_null(-ENOMEM);
	memcpy(raw, data, size);
	return wb_btf_take(raw, size, base);
}

struct btf *btf__new(const void *data, __u32 size)
{
	return btf__new_split(data, size, NULL);
}

struct btf_type *wb_btf_type(const struct btf *btf, uint32_t id)
{
	static struct btf_type nothing;

	if (!id)
		return &nothing;
	while (id < btf->first_id)
		btf = btf->base;
	return (struct btf_type *)(btf->types + btf->offsets[id - btf->first_id]);
}

__u32 btf__type_cnt(const struct btf *btf)
{
	return btf->first_id + btf->count;
}

const struct btf *btf__base_btf(const struct btf *btf)
{
	return btf->base;
}

const struct btf_type *btf__type_by_id(const struct btf *btf, __u32 id)
{
	if (id >= btf__type_cnt(btf))
		return wb_null(-EINVAL);
	return wb_btf_type(btf, id);
}

const char *btf__str_by_offset(const struct btf *btf, __u32 offset)
{
	while (offset < btf->first_string)
		btf = btf->base;
	if (offset - btf->first_string >= btf->strings_size)
		return wb_null(-EINVAL);
	return btf->strings + (offset - btf->first_string);
}

const char *btf__name_by_offset(const struct btf *btf, __u32 offset)
{
	return btf__str_by_offset(btf, offset);
}

int btf__fd(const struct btf *btf)
{
	return btf->fd;
}

void btf__set_fd(struct btf *btf, int fd)
{
	btf->fd = fd;
}
