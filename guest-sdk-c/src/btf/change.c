// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "change.h"

#include <stdlib.h>
#include <string.h>

#include "index.h"

static void free_index(struct wb_btf_index *index)
{
	free(index->slots);
	free(index);
}

static uint32_t hash(const char *text)
{
	uint32_t value = 2166136261u;

	while (*text)
		value = (value ^ (uint8_t)*text++) * 16777619u;
	return value;
}

// The slot of a text, or the free one where it belongs.
static uint32_t *slot_of(const struct btf *btf, const char *text)
{
	const struct wb_btf_index *index = btf->index;
	uint32_t at = hash(text);

	for (;; at++) {
		uint32_t *slot = &index->slots[at & (index->room - 1)];

		if (!*slot || !strcmp(btf->strings + *slot - 1, text))
			return slot;
	}
}

static int grow_index(struct btf *btf)
{
	struct wb_btf_index *index = btf->index;
	uint32_t *old = index->slots, old_room = index->room;

	index->room = old_room ? old_room * 2 : 64;
	index->slots = calloc(index->room, sizeof(*index->slots));
	if (!index->slots) {
		index->slots = old;
		index->room = old_room;
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < old_room; i++)
		if (old[i])
			*slot_of(btf, btf->strings + old[i] - 1) = old[i];
	free(old);
	return 0;
}

// Of two that are the same, the first is found.
static int index_string(struct btf *btf, uint32_t offset)
{
	uint32_t *slot;
	int err;

	if (btf->index->count >= btf->index->room / 4 * 3) {
		err = grow_index(btf);
		if (err)
			return err;
	}
	slot = slot_of(btf, btf->strings + offset);
	if (!*slot) {
		*slot = offset + 1;
		btf->index->count++;
	}
	return 0;
}

static int make_index(struct btf *btf)
{
	if (btf->index)
		return 0;
	btf->index = calloc(1, sizeof(*btf->index));
	if (!btf->index)
		return -ENOMEM;
	btf->index->free = free_index;
	for (uint32_t at = 0; at < btf->strings_size; at += strlen(btf->strings + at) + 1) {
		if (index_string(btf, at)) {
			free_index(btf->index);
			btf->index = NULL;
			return -ENOMEM;
		}
	}
	return 0;
}

int wb_btf_change(struct btf *btf)
{
	if (!btf->is_separate) {
		uint8_t *types = malloc(btf->types_size + 1);
		char *strings = malloc(btf->strings_size + 1);

		if (!types || !strings) {
			free(types);
			free(strings);
			errno = ENOMEM;
			return -ENOMEM;
		}
		memcpy(types, btf->types, btf->types_size);
		memcpy(strings, btf->strings, btf->strings_size);
		btf->types = types;
		btf->strings = strings;
		btf->types_room = btf->types_size;
		btf->strings_room = btf->strings_size;
		btf->is_separate = true;
	}
	free(btf->raw);
	free(btf->raw_swapped);
	btf->raw = btf->raw_swapped = NULL;
	return 0;
}

// More room for an array: at least `needed` elements.
static int grow(void **memory, uint32_t *room, uint64_t needed, size_t size)
{
	uint64_t new_room = *room + *room / 2 + 16;
	void *moved;

	if (needed <= *room)
		return 0;
	if (new_room < needed)
		new_room = needed;
	if (new_room > BTF_MAX_ID / size)
		return -E2BIG;
	moved = realloc(*memory, new_room * size);
	if (!moved)
		return -ENOMEM;
	*memory = moved;
	*room = new_room;
	return 0;
}

int wb_btf_reserve(struct btf *btf, uint32_t types, uint32_t count)
{
	int err = grow((void **)&btf->types, &btf->types_room, (uint64_t)btf->types_size + types, 1);

	if (!err)
		err = grow((void **)&btf->offsets, &btf->offsets_room, (uint64_t)btf->count + count, sizeof(*btf->offsets));
	if (err)
		errno = -err;
	return err;
}

int wb_btf_commit(struct btf *btf, uint32_t size)
{
	btf->offsets[btf->count++] = btf->types_size;
	btf->types_size += size;
	return btf__type_cnt(btf) - 1;
}

void wb_btf_forget_strings(struct btf *btf, uint32_t size)
{
	btf->strings_size = size;
	if (btf->index)
		free_index(btf->index);
	btf->index = NULL;
}

int btf__find_str(struct btf *btf, const char *text)
{
	uint32_t slot;
	int found;

	if (!text)
		return wb_refuse(EINVAL, "no text to find");
	if (btf->base) {
		found = btf__find_str(btf->base, text);
		if (found != -ENOENT)
			return found;
	}
	if (make_index(btf)) {
		errno = ENOMEM;
		return -ENOMEM;
	}
	slot = btf->index->room ? *slot_of(btf, text) : 0;
	if (!slot) {
		errno = ENOENT;
		return -ENOENT;
	}
	return btf->first_string + slot - 1;
}

int btf__add_str(struct btf *btf, const char *text)
{
	const int found = btf__find_str(btf, text);
	uint32_t at, length;
	int err;

	if (found != -ENOENT)
		return found;
	length = strlen(text) + 1;
	err = wb_btf_change(btf);
	if (!err && (uint64_t)btf->first_string + btf->strings_size + length > BTF_MAX_ID)
		err = -E2BIG;
	if (!err)
		err = grow((void **)&btf->strings, &btf->strings_room, (uint64_t)btf->strings_size + length, 1);
	if (!err) {
		at = btf->strings_size;
		memcpy(btf->strings + at, text, length);
		err = index_string(btf, at);
	}
	if (err) {
		errno = -err;
		return err;
	}
	btf->strings_size += length;
	return btf->first_string + at;
}

int wb_btf_add_name(struct btf *btf, const char *name)
{
	return name && *name ? btf__add_str(btf, name) : 0;
}

struct btf *btf__new_empty_split(struct btf *base)
{
	struct btf *btf = wb_btf_new(base);

	if (!btf)
		return NULL;
	btf->is_separate = true;
	btf->pointer_size = 8;
	btf->swapped = base && base->swapped;
	// The empty text at the beginning is that of the base.
	if (!base) {
		btf->strings = calloc(1, 1);
		if (!btf->strings) {
			btf__free(btf);
			return wb_null(-ENOMEM);
		}
		btf->strings_size = btf->strings_room = 1;
	}
	return btf;
}

struct btf *btf__new_empty(void)
{
	return btf__new_empty_split(NULL);
}
