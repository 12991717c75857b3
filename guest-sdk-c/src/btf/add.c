// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Adding types, one by one.
#include <limits.h>
#include <string.h>

#include "change.h"

static uint32_t info_of(unsigned int kind, unsigned int vlen, bool flag)
{
	return kind << 24 | vlen | (uint32_t)flag << 31;
}

// A type of which `rest` follows the head, and whose name may be missing. `size` is also what it refers to.
static int add(struct btf *btf, const char *name, uint32_t info, uint32_t size, const void *rest, uint32_t rest_size)
{
	struct btf_type *type;
	int err, name_at;

	err = wb_btf_change(btf);
	if (!err)
		err = wb_btf_reserve(btf, sizeof(*type) + rest_size, 1);
	if (err)
		return err;
	name_at = wb_btf_add_name(btf, name);
	if (name_at < 0)
		return name_at;
	type = (struct btf_type *)(btf->types + btf->types_size);
	*type = (struct btf_type){ .name_off = name_at, .info = info, .size = size };
	if (rest_size)
		memcpy(type + 1, rest, rest_size);
	return wb_btf_commit(btf, sizeof(*type) + rest_size);
}

static bool is_named(const char *name, const char *what)
{
	if (name && *name)
		return true;
	wb_refuse(EINVAL, "BTF: %s needs a name", what);
	return false;
}

// Types may come after those that refer to them: an id that is none is found out when all is read again.
static bool is_id(int id)
{
	if (id >= 0)
		return true;
	wb_refuse(EINVAL, "BTF: %d is no id of a type", id);
	return false;
}

static int add_reference(struct btf *btf, unsigned int kind, const char *name, int id, unsigned int vlen, bool flag)
{
	return is_id(id) ? add(btf, name, info_of(kind, vlen, flag), id, NULL, 0) : -EINVAL;
}

// The type that was added last: NULL if it is of another kind, or can take no more.
static struct btf_type *last_type(struct btf *btf, unsigned int kind, const char *what)
{
	struct btf_type *last = btf->count ? wb_btf_type(btf, btf__type_cnt(btf) - 1) : NULL;

	if (!last || btf_kind(last) != kind) {
		wb_refuse(EINVAL, "BTF: %s is added to the type before it, which has no such", what);
		return NULL;
	}
	if (btf_vlen(last) == BTF_MAX_VLEN) {
		wb_refuse(E2BIG, "BTF: a type has %u of them at most: %s", BTF_MAX_VLEN, what);
		return NULL;
	}
	return last;
}

// Adds words to that type, of which the first is a name's offset if there is a name.
static int add_words(struct btf *btf, const char *name, uint32_t *words, uint32_t count, bool flag)
{
	struct btf_type *last;
	int err, name_at;

	err = wb_btf_change(btf);
	if (!err)
		err = wb_btf_reserve(btf, count * 4, 0);
	if (err)
		return err;
	name_at = wb_btf_add_name(btf, name);
	if (name_at < 0)
		return name_at;
	if (name_at)
		words[0] = name_at;
	memcpy(btf->types + btf->types_size, words, count * 4);
	btf->types_size += count * 4;
	last = wb_btf_type(btf, btf__type_cnt(btf) - 1);
	last->info = info_of(btf_kind(last), btf_vlen(last) + 1, btf_kflag(last) || flag);
	return 0;
}

int btf__add_int(struct btf *btf, const char *name, size_t size, int encoding)
{
	const uint32_t bits = (uint32_t)encoding << 24 | size * 8;

	if (!is_named(name, "an integer"))
		return -EINVAL;
	if (!size || size > 16 || size & (size - 1))
		return wb_refuse(EINVAL, "BTF: the integer '%s' cannot have %zu bytes", name, size);
	if (encoding & ~(BTF_INT_SIGNED | BTF_INT_CHAR | BTF_INT_BOOL))
		return wb_refuse(EINVAL, "BTF: the integer '%s' has the encoding %#x, which is none", name, encoding);
	return add(btf, name, info_of(BTF_KIND_INT, 0, false), size, &bits, sizeof(bits));
}

int btf__add_float(struct btf *btf, const char *name, size_t size)
{
	if (!is_named(name, "a floating point number"))
		return -EINVAL;
	if (size != 2 && size != 4 && size != 8 && size != 12 && size != 16)
		return wb_refuse(EINVAL, "BTF: the floating point number '%s' cannot have %zu bytes", name, size);
	return add(btf, name, info_of(BTF_KIND_FLOAT, 0, false), size, NULL, 0);
}

int btf__add_ptr(struct btf *btf, int id)
{
	return add_reference(btf, BTF_KIND_PTR, NULL, id, 0, false);
}

int btf__add_array(struct btf *btf, int index, int element, __u32 count)
{
	const struct btf_array array = { .type = element, .index_type = index, .nelems = count };

	if (!is_id(index) || !is_id(element))
		return -EINVAL;
	return add(btf, NULL, info_of(BTF_KIND_ARRAY, 0, false), 0, &array, sizeof(array));
}

int btf__add_struct(struct btf *btf, const char *name, __u32 size)
{
	return add(btf, name, info_of(BTF_KIND_STRUCT, 0, false), size, NULL, 0);
}

int btf__add_union(struct btf *btf, const char *name, __u32 size)
{
	return add(btf, name, info_of(BTF_KIND_UNION, 0, false), size, NULL, 0);
}

int btf__add_field(struct btf *btf, const char *name, int id, __u32 bit_offset, __u32 bit_size)
{
	const struct btf_type *last = btf->count ? wb_btf_type(btf, btf__type_cnt(btf) - 1) : NULL;
	const bool is_union = last && btf_is_union(last), is_bit_field = bit_size || bit_offset % 8;
	uint32_t words[3] = { 0, id, bit_offset | bit_size << 24 };

	if (!last_type(btf, is_union ? BTF_KIND_UNION : BTF_KIND_STRUCT, "a member"))
		return -errno;
	if (!is_id(id))
		return -EINVAL;
	if (is_union && bit_offset)
		return wb_refuse(EINVAL, "BTF: a member of a union begins at 0, not at %u", bit_offset);
	// Once one member is a bit field, all have but 24 bits for where they are.
	if ((is_bit_field && (!bit_size || bit_size > 255)) || ((is_bit_field || btf_kflag(last)) && bit_offset > 0xffffff))
		return wb_refuse(EINVAL, "BTF: a bit field cannot have %u bits at %u", bit_size, bit_offset);
	return add_words(btf, name, words, 3, is_bit_field);
}

static int add_enum(struct btf *btf, unsigned int kind, const char *name, __u32 size, bool is_signed)
{
	if (!size || size > 8 || size & (size - 1))
		return wb_refuse(EINVAL, "BTF: an enumeration cannot have %u bytes", size);
	return add(btf, name, info_of(kind, 0, is_signed), size, NULL, 0);
}

int btf__add_enum(struct btf *btf, const char *name, __u32 size)
{
	return add_enum(btf, BTF_KIND_ENUM, name, size, false);
}

int btf__add_enum64(struct btf *btf, const char *name, __u32 size, bool is_signed)
{
	return add_enum(btf, BTF_KIND_ENUM64, name, size, is_signed);
}

int btf__add_enum_value(struct btf *btf, const char *name, __s64 value)
{
	uint32_t words[2] = { 0, value };

	if (!last_type(btf, BTF_KIND_ENUM, "a value"))
		return -errno;
	if (!is_named(name, "a value"))
		return -EINVAL;
	if (value < INT_MIN || value > UINT_MAX)
		return wb_refuse(E2BIG, "BTF: the value '%s' has more than 32 bits", name);
	return add_words(btf, name, words, 2, value < 0);
}

int btf__add_enum64_value(struct btf *btf, const char *name, __u64 value)
{
	uint32_t words[3] = { 0, value, value >> 32 };

	if (!last_type(btf, BTF_KIND_ENUM64, "a value"))
		return -errno;
	if (!is_named(name, "a value"))
		return -EINVAL;
	return add_words(btf, name, words, 3, false);
}

int btf__add_fwd(struct btf *btf, const char *name, enum btf_fwd_kind kind)
{
	if (!is_named(name, "a declaration"))
		return -EINVAL;
	switch (kind) {
	case BTF_FWD_STRUCT:
	case BTF_FWD_UNION:
		return add_reference(btf, BTF_KIND_FWD, name, 0, 0, kind == BTF_FWD_UNION);
	case BTF_FWD_ENUM:
		// One without values: there is no other way to write it.
		return btf__add_enum(btf, name, 4);
	}
	return wb_refuse(EINVAL, "BTF: %d is no kind of declaration", (int)kind);
}

int btf__add_typedef(struct btf *btf, const char *name, int id)
{
	return is_named(name, "a typedef") ? add_reference(btf, BTF_KIND_TYPEDEF, name, id, 0, false) : -EINVAL;
}

int btf__add_volatile(struct btf *btf, int id)
{
	return add_reference(btf, BTF_KIND_VOLATILE, NULL, id, 0, false);
}

int btf__add_const(struct btf *btf, int id)
{
	return add_reference(btf, BTF_KIND_CONST, NULL, id, 0, false);
}

int btf__add_restrict(struct btf *btf, int id)
{
	return add_reference(btf, BTF_KIND_RESTRICT, NULL, id, 0, false);
}

int btf__add_type_tag(struct btf *btf, const char *value, int id)
{
	return is_named(value, "a tag") ? add_reference(btf, BTF_KIND_TYPE_TAG, value, id, 0, false) : -EINVAL;
}

int btf__add_type_attr(struct btf *btf, const char *value, int id)
{
	return is_named(value, "an attribute") ? add_reference(btf, BTF_KIND_TYPE_TAG, value, id, 0, true) : -EINVAL;
}

int btf__add_func(struct btf *btf, const char *name, enum btf_func_linkage linkage, int id)
{
	if (!is_named(name, "a function"))
		return -EINVAL;
	if (linkage != BTF_FUNC_STATIC && linkage != BTF_FUNC_GLOBAL && linkage != BTF_FUNC_EXTERN)
		return wb_refuse(EINVAL, "BTF: the function '%s' has the linkage %d, which is none", name, (int)linkage);
	return add_reference(btf, BTF_KIND_FUNC, name, id, linkage, false);
}

int btf__add_func_proto(struct btf *btf, int id)
{
	return add_reference(btf, BTF_KIND_FUNC_PROTO, NULL, id, 0, false);
}

int btf__add_func_param(struct btf *btf, const char *name, int id)
{
	uint32_t words[2] = { 0, id };

	if (!last_type(btf, BTF_KIND_FUNC_PROTO, "a parameter"))
		return -errno;
	return is_id(id) ? add_words(btf, name, words, 2, false) : -EINVAL;
}

int btf__add_var(struct btf *btf, const char *name, int linkage, int id)
{
	const struct btf_var rest = { .linkage = linkage };

	if (!is_named(name, "a variable") || !is_id(id))
		return -EINVAL;
	if (linkage != BTF_VAR_STATIC && linkage != BTF_VAR_GLOBAL_ALLOCATED && linkage != BTF_VAR_GLOBAL_EXTERN)
		return wb_refuse(EINVAL, "BTF: the variable '%s' has the linkage %d, which is none", name, linkage);
	return add(btf, name, info_of(BTF_KIND_VAR, 0, false), id, &rest, sizeof(rest));
}

int btf__add_datasec(struct btf *btf, const char *name, __u32 size)
{
	return is_named(name, "a section") ? add(btf, name, info_of(BTF_KIND_DATASEC, 0, false), size, NULL, 0) : -EINVAL;
}

int btf__add_datasec_var_info(struct btf *btf, int id, __u32 offset, __u32 size)
{
	uint32_t words[3] = { id, offset, size };

	if (!last_type(btf, BTF_KIND_DATASEC, "a variable"))
		return -errno;
	return is_id(id) ? add_words(btf, NULL, words, 3, false) : -EINVAL;
}

static int add_decl_tag(struct btf *btf, const char *value, int id, int component, bool is_attribute)
{
	if (!is_named(value, "a tag") || !is_id(id))
		return -EINVAL;
	if (component < -1)
		return wb_refuse(EINVAL, "BTF: the tag '%s' is on %d, which is no member", value, component);
	return add(btf, value, info_of(BTF_KIND_DECL_TAG, 0, is_attribute), id, &component, sizeof(component));
}

int btf__add_decl_tag(struct btf *btf, const char *value, int id, int component)
{
	return add_decl_tag(btf, value, id, component, false);
}

int btf__add_decl_attr(struct btf *btf, const char *value, int id, int component)
{
	return add_decl_tag(btf, value, id, component, true);
}
