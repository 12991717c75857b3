// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sizes, alignments, and what is behind names. Types may refer to themselves: no way is followed further than this.
#include <string.h>

#include "btf.h"

#define DEPTH 32

static int find_pointer_size(const struct btf *btf)
{
	// C has these words in any order; compilers write the first two.
	static const char *const names[] = {
		"long int", "long unsigned int", "long", "unsigned long", "unsigned long int", "long unsigned",
		"int long", "unsigned int long", "long int unsigned", "int unsigned long", "int long unsigned",
	};
	const uint32_t end = btf__type_cnt(btf);

	if (btf->base && btf->base->pointer_size > 0)
		return btf->base->pointer_size;
	for (uint32_t id = 1; id < end; id++) {
		const struct btf_type *type = wb_btf_type(btf, id);

		if (!btf_is_int(type) || (type->size != 4 && type->size != 8))
			continue;
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			if (!strcmp(wb_btf_name(btf, type), names[i]))
				return type->size;
	}
	return -1;
}

size_t btf__pointer_size(const struct btf *btf)
{
	if (!btf->pointer_size)
		((struct btf *)btf)->pointer_size = find_pointer_size(btf);
	return btf->pointer_size < 0 ? 0 : btf->pointer_size;
}

uint32_t wb_btf_pointer_size(const struct btf *btf)
{
	uint32_t size = btf__pointer_size(btf);

	return size ? size : 8;
}

int btf__set_pointer_size(struct btf *btf, size_t size)
{
	if (size != 4 && size != 8)
		return wb_refuse(EINVAL, "pointers of %zu bytes", size);
	btf->pointer_size = size;
	return 0;
}

static __s64 fail(int error)
{
	errno = error;
	return -error;
}

__s64 btf__resolve_size(const struct btf *btf, __u32 id)
{
	const uint32_t end = btf__type_cnt(btf);
	uint64_t size, times = 1;

	for (int depth = 0; depth < DEPTH && id < end; depth++) {
		const struct btf_type *type = wb_btf_type(btf, id);

		switch (btf_kind(type)) {
		case BTF_KIND_INT:
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
		case BTF_KIND_DATASEC:
		case BTF_KIND_FLOAT:
			size = type->size;
			break;
		case BTF_KIND_PTR:
			size = wb_btf_pointer_size(btf);
			break;
		case BTF_KIND_TYPEDEF:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_CONST:
		case BTF_KIND_RESTRICT:
		case BTF_KIND_VAR:
		case BTF_KIND_DECL_TAG:
		case BTF_KIND_TYPE_TAG:
			id = type->type;
			continue;
		case BTF_KIND_ARRAY:
			times *= btf_array(type)->nelems;
			if (times > UINT32_MAX)
				return fail(E2BIG);
			id = btf_array(type)->type;
			continue;
		default:
			return fail(EINVAL);
		}
		size *= times;
		return size > UINT32_MAX ? fail(E2BIG) : (__s64)size;
	}
	return fail(EINVAL);
}

int btf__resolve_type(const struct btf *btf, __u32 id)
{
	const uint32_t end = btf__type_cnt(btf);

	for (int depth = 0; depth < DEPTH && id < end; depth++) {
		const struct btf_type *type = wb_btf_type(btf, id);

		if (btf_is_void(type) || btf_is_fwd(type))
			break;
		if (!btf_is_mod(type) && !btf_is_typedef(type) && !btf_is_var(type))
			return id;
		id = type->type;
	}
	return fail(EINVAL);
}

static int align_of(const struct btf *btf, uint32_t id, int depth);

// Of a packed struct it is 1, which shows in where its members are.
static int align_of_members(const struct btf *btf, const struct btf_type *type, int depth)
{
	const struct btf_member *members = btf_members(type);
	const uint32_t count = btf_vlen(type);
	int align, most = 1;

	for (uint32_t i = 0; i < count; i++) {
		align = align_of(btf, members[i].type, depth);
		if (align <= 0)
			return align;
		if (align > most)
			most = align;
		if (!btf_member_bitfield_size(type, i) && btf_member_bit_offset(type, i) % (8 * align))
			return 1;
	}
	return type->size % most ? 1 : most;
}

static int align_of(const struct btf *btf, uint32_t id, int depth)
{
	const uint32_t pointer = wb_btf_pointer_size(btf), end = btf__type_cnt(btf);

	for (; depth < DEPTH && id < end; depth++) {
		const struct btf_type *type = wb_btf_type(btf, id);

		switch (btf_kind(type)) {
		case BTF_KIND_INT:
		case BTF_KIND_ENUM:
		case BTF_KIND_ENUM64:
		case BTF_KIND_FLOAT:
			return type->size < pointer ? type->size : pointer;
		case BTF_KIND_PTR:
			return pointer;
		case BTF_KIND_TYPEDEF:
		case BTF_KIND_VOLATILE:
		case BTF_KIND_CONST:
		case BTF_KIND_RESTRICT:
		case BTF_KIND_TYPE_TAG:
			id = type->type;
			continue;
		case BTF_KIND_ARRAY:
			id = btf_array(type)->type;
			continue;
		case BTF_KIND_STRUCT:
		case BTF_KIND_UNION:
			return align_of_members(btf, type, depth + 1);
		}
		break;
	}
	errno = EINVAL;
	return 0;
}

int btf__align_of(const struct btf *btf, __u32 id)
{
	return align_of(btf, id, 0);
}
