// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Types of a program's own: added one by one, read back from bytes in both orders, copied, continued; and bytes that are no types.
// grants: none
// needs: --dir guest-sdk-c::/here
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <bpf/libbpf_legacy.h>

#include <stdint.h>

#include "check.h"

// Ids of what add_all adds.
static struct {
	int number, number64, text, pointer, array, tree, value, few, many, declared, declared_enum, alias, fixed, shaky, alone, tagged,
		attributed, prototype, function, variable, section, tag, attribute, real;
} ids;

static void add_all(struct btf *btf)
{
	ids.number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	CHECK(ids.number > 0);
	ids.number64 = btf__add_int(btf, "long unsigned int", 8, 0);
	CHECK_IS(ids.number64, ids.number + 1);
	ids.text = btf__add_int(btf, "char", 1, BTF_INT_CHAR);
	ids.pointer = btf__add_ptr(btf, ids.number);
	ids.array = btf__add_array(btf, ids.number, ids.text, 12);
	ids.tree = btf__add_struct(btf, "tree", 40);
	CHECK_IS(btf__add_field(btf, "left", ids.tree + 2, 0, 0), 0);
	CHECK_IS(btf__add_field(btf, "right", ids.tree + 2, 64, 0), 0);
	CHECK_IS(btf__add_field(btf, "flags", ids.number, 128, 3), 0);
	CHECK_IS(btf__add_field(btf, "rest", ids.number, 131, 29), 0);
	CHECK_IS(btf__add_field(btf, "name", ids.array, 160, 0), 0);
	CHECK_IS(btf__add_field(btf, NULL, ids.tree + 1, 256, 0), 0);
	ids.value = btf__add_union(btf, NULL, 8);
	CHECK_IS(ids.value, ids.tree + 1);
	CHECK_IS(btf__add_field(btf, "signed_value", ids.number, 0, 0), 0);
	CHECK_IS(btf__add_field(btf, "value", ids.number64, 0, 0), 0);
	// It was referred to before it was there.
	CHECK_IS(btf__add_ptr(btf, ids.tree), ids.tree + 2);
	ids.few = btf__add_enum(btf, "few", 4);
	CHECK_IS(btf__add_enum_value(btf, "FEW_NONE", 0), 0);
	CHECK_IS(btf__add_enum_value(btf, "FEW_LESS", -1), 0);
	ids.many = btf__add_enum64(btf, "many", 8, true);
	CHECK_IS(btf__add_enum64_value(btf, "MANY_ALL", 0x123456789abcdef0), 0);
	ids.declared = btf__add_fwd(btf, "elsewhere", BTF_FWD_UNION);
	ids.declared_enum = btf__add_fwd(btf, "later", BTF_FWD_ENUM);
	ids.alias = btf__add_typedef(btf, "tree_t", ids.tree);
	ids.fixed = btf__add_const(btf, ids.alias);
	ids.shaky = btf__add_volatile(btf, ids.fixed);
	ids.alone = btf__add_restrict(btf, ids.pointer);
	ids.tagged = btf__add_type_tag(btf, "user", ids.number);
	ids.attributed = btf__add_type_attr(btf, "noderef", ids.number);
	ids.prototype = btf__add_func_proto(btf, ids.number);
	CHECK_IS(btf__add_func_param(btf, "tree", ids.tree + 2), 0);
	CHECK_IS(btf__add_func_param(btf, NULL, 0), 0);
	ids.function = btf__add_func(btf, "climb", BTF_FUNC_GLOBAL, ids.prototype);
	ids.variable = btf__add_var(btf, "root", BTF_VAR_GLOBAL_ALLOCATED, ids.tree);
	ids.section = btf__add_datasec(btf, ".data", 40);
	CHECK_IS(btf__add_datasec_var_info(btf, ids.variable, 0, 40), 0);
	ids.tag = btf__add_decl_tag(btf, "wood", ids.tree, -1);
	ids.attribute = btf__add_decl_attr(btf, "leaf", ids.tree, 2);
	ids.real = btf__add_float(btf, "double", 8);
	CHECK_IS(btf__type_cnt(btf), ids.real + 1);
}

static const struct btf_type *at(const struct btf *btf, int id, unsigned int kind, const char *name)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	CHECK(type);
	CHECK_IS(btf_kind(type), kind);
	CHECK_TEXT(btf__name_by_offset(btf, type->name_off), name);
	return type;
}

static void check_all(const struct btf *btf)
{
	const struct btf_type *type;

	type = at(btf, ids.number, BTF_KIND_INT, "int");
	CHECK_IS(type->size, 4);
	CHECK_IS(btf_int_encoding(type), BTF_INT_SIGNED);
	CHECK_IS(btf_int_bits(type), 32);
	CHECK_IS(btf_int_offset(type), 0);
	CHECK_IS(at(btf, ids.pointer, BTF_KIND_PTR, "")->type, ids.number);
	type = at(btf, ids.array, BTF_KIND_ARRAY, "");
	CHECK_IS(btf_array(type)->type, ids.text);
	CHECK_IS(btf_array(type)->index_type, ids.number);
	CHECK_IS(btf_array(type)->nelems, 12);

	type = at(btf, ids.tree, BTF_KIND_STRUCT, "tree");
	CHECK_IS(btf_vlen(type), 6);
	CHECK(btf_kflag(type));
	CHECK(btf_is_composite(type));
	CHECK_TEXT(btf__name_by_offset(btf, btf_members(type)[2].name_off), "flags");
	CHECK_IS(btf_member_bit_offset(type, 2), 128);
	CHECK_IS(btf_member_bitfield_size(type, 2), 3);
	CHECK_IS(btf_member_bit_offset(type, 4), 160);
	CHECK_IS(btf_member_bitfield_size(type, 4), 0);
	CHECK_TEXT(btf__name_by_offset(btf, btf_members(type)[5].name_off), "");
	type = at(btf, ids.value, BTF_KIND_UNION, "");
	CHECK(!btf_kflag(type));
	CHECK_IS(btf_member_bit_offset(type, 1), 0);

	type = at(btf, ids.few, BTF_KIND_ENUM, "few");
	CHECK_IS(btf_vlen(type), 2);
	CHECK_IS(btf_enum(type)[1].val, -1);
	CHECK(btf_kflag(type));
	type = at(btf, ids.many, BTF_KIND_ENUM64, "many");
	CHECK_IS(btf_enum64_value(btf_enum64(type)), 0x123456789abcdef0);
	CHECK(btf_kind_core_compat(type, btf__type_by_id(btf, ids.few)));
	CHECK(btf_kflag(at(btf, ids.declared, BTF_KIND_FWD, "elsewhere")));
	CHECK_IS(btf_vlen(at(btf, ids.declared_enum, BTF_KIND_ENUM, "later")), 0);
	CHECK_IS(at(btf, ids.alias, BTF_KIND_TYPEDEF, "tree_t")->type, ids.tree);
	CHECK_IS(at(btf, ids.fixed, BTF_KIND_CONST, "")->type, ids.alias);
	CHECK_IS(at(btf, ids.shaky, BTF_KIND_VOLATILE, "")->type, ids.fixed);
	CHECK_IS(at(btf, ids.alone, BTF_KIND_RESTRICT, "")->type, ids.pointer);
	type = at(btf, ids.tagged, BTF_KIND_TYPE_TAG, "user");
	CHECK(btf_is_mod(type) && !btf_kflag(type));
	CHECK(btf_kflag(at(btf, ids.attributed, BTF_KIND_TYPE_TAG, "noderef")));
	type = at(btf, ids.prototype, BTF_KIND_FUNC_PROTO, "");
	CHECK_IS(btf_vlen(type), 2);
	CHECK_IS(type->type, ids.number);
	CHECK_TEXT(btf__name_by_offset(btf, btf_params(type)[0].name_off), "tree");
	CHECK_IS(btf_params(type)[1].type, 0);
	type = at(btf, ids.function, BTF_KIND_FUNC, "climb");
	CHECK_IS(btf_vlen(type), BTF_FUNC_GLOBAL);
	CHECK_IS(btf_var(at(btf, ids.variable, BTF_KIND_VAR, "root"))->linkage, BTF_VAR_GLOBAL_ALLOCATED);
	type = at(btf, ids.section, BTF_KIND_DATASEC, ".data");
	CHECK_IS(btf_vlen(type), 1);
	CHECK_IS(btf_var_secinfos(type)[0].type, ids.variable);
	CHECK_IS(btf_var_secinfos(type)[0].size, 40);
	CHECK_IS(btf_decl_tag(at(btf, ids.tag, BTF_KIND_DECL_TAG, "wood"))->component_idx, -1);
	type = at(btf, ids.attribute, BTF_KIND_DECL_TAG, "leaf");
	CHECK_IS(btf_decl_tag(type)->component_idx, 2);
	CHECK(btf_kflag(type));
	CHECK(btf_is_float(at(btf, ids.real, BTF_KIND_FLOAT, "double")));

	CHECK_IS(btf__pointer_size(btf), 8);
	CHECK_IS(btf__resolve_size(btf, ids.shaky), 40);
	CHECK_IS(btf__resolve_size(btf, ids.array), 12);
	CHECK_IS(btf__resolve_size(btf, ids.pointer), 8);
	CHECK_IS(btf__resolve_size(btf, ids.variable), 40);
	CHECK_IS(btf__resolve_size(btf, ids.section), 40);
	CHECK_ERR(btf__resolve_size(btf, ids.declared), EINVAL);
	CHECK_ERR(btf__resolve_size(btf, ids.function), EINVAL);
	CHECK_ERR(btf__resolve_size(btf, 0), EINVAL);
	CHECK_ERR(btf__resolve_size(btf, 1000), EINVAL);
	CHECK_IS(btf__resolve_type(btf, ids.shaky), ids.tree);
	CHECK_IS(btf__resolve_type(btf, ids.tagged), ids.number);
	CHECK_IS(btf__resolve_type(btf, ids.pointer), ids.pointer);
	CHECK_ERR(btf__resolve_type(btf, 0), EINVAL);
	CHECK_IS(btf__align_of(btf, ids.shaky), 8);
	CHECK_IS(btf__align_of(btf, ids.array), 1);
	CHECK_IS(btf__align_of(btf, ids.few), 4);
	errno = 0;
	CHECK_IS(btf__align_of(btf, ids.function), 0);
	CHECK_IS(errno, EINVAL);
}

static void check_names(const struct btf *btf)
{
	CHECK_IS(btf__find_by_name(btf, "climb"), ids.function);
	CHECK_IS(btf__find_by_name_kind(btf, "tree", BTF_KIND_STRUCT), ids.tree);
	CHECK_ERR(btf__find_by_name_kind(btf, "tree", BTF_KIND_TYPEDEF), ENOENT);
	CHECK_ERR(btf__find_by_name(btf, NULL), EINVAL);
}

// Ids in another BTF, `by` higher.
static void shift(int by)
{
	int *id = (int *)&ids;

	for (size_t i = 0; i < sizeof(ids) / sizeof(*id); i++)
		id[i] += id[i] ? by : 0;
}

static void refused(struct btf *btf)
{
	const __u32 count = btf__type_cnt(btf);

	CHECK_ERR(btf__add_int(btf, NULL, 4, 0), EINVAL);
	CHECK_ERR(btf__add_int(btf, "", 4, 0), EINVAL);
	CHECK_ERR(btf__add_int(btf, "odd", 3, 0), EINVAL);
	CHECK_ERR(btf__add_int(btf, "odd", 32, 0), EINVAL);
	CHECK_ERR(btf__add_int(btf, "odd", 4, 8), EINVAL);
	CHECK_ERR(btf__add_float(btf, "odd", 3), EINVAL);
	CHECK_ERR(btf__add_ptr(btf, -1), EINVAL);
	CHECK_ERR(btf__add_array(btf, -1, 1, 1), EINVAL);
	CHECK_ERR(btf__add_typedef(btf, "", 1), EINVAL);
	CHECK_ERR(btf__add_type_tag(btf, NULL, 1), EINVAL);
	CHECK_ERR(btf__add_type_attr(btf, NULL, 1), EINVAL);
	CHECK_ERR(btf__add_enum(btf, "odd", 3), EINVAL);
	CHECK_ERR(btf__add_enum64(btf, "odd", 16, false), EINVAL);
	CHECK_ERR(btf__add_fwd(btf, "odd", 7), EINVAL);
	CHECK_ERR(btf__add_func(btf, "odd", 7, 1), EINVAL);
	CHECK_ERR(btf__add_var(btf, "odd", 7, 1), EINVAL);
	CHECK_ERR(btf__add_datasec(btf, NULL, 1), EINVAL);
	CHECK_ERR(btf__add_decl_tag(btf, "odd", 1, -2), EINVAL);
	CHECK_ERR(btf__add_decl_attr(btf, "", 1, 0), EINVAL);
	// The last is a number, to which nothing belongs.
	CHECK_ERR(btf__add_field(btf, "odd", 1, 0, 0), EINVAL);
	CHECK_ERR(btf__add_enum_value(btf, "odd", 1), EINVAL);
	CHECK_ERR(btf__add_enum64_value(btf, "odd", 1), EINVAL);
	CHECK_ERR(btf__add_func_param(btf, "odd", 1), EINVAL);
	CHECK_ERR(btf__add_datasec_var_info(btf, 1, 0, 4), EINVAL);
	CHECK_IS(btf__type_cnt(btf), count);

	CHECK(btf__add_union(btf, "either", 4) > 0);
	CHECK_ERR(btf__add_field(btf, "second", 1, 8, 0), EINVAL);
	CHECK(btf__add_struct(btf, "bits", 4) > 0);
	CHECK_ERR(btf__add_field(btf, "none", 1, 3, 0), EINVAL);
	CHECK_ERR(btf__add_field(btf, "wide", 1, 0, 256), EINVAL);
	CHECK_ERR(btf__add_field(btf, "far", 1, 0x1000000, 1), EINVAL);
	CHECK(btf__add_enum(btf, "values", 4) > 0);
	CHECK_ERR(btf__add_enum_value(btf, NULL, 1), EINVAL);
	CHECK_ERR(btf__add_enum_value(btf, "large", 1LL << 32), E2BIG);
	CHECK(btf__add_enum(btf, "full", 4) > 0);
	for (int i = 0; i < 0xffff; i++)
		CHECK_IS(btf__add_enum_value(btf, "FULL", i), 0);
	CHECK_ERR(btf__add_enum_value(btf, "FULL", 0xffff), E2BIG);
}

// Types that go round.
static void loops(void)
{
	struct btf *btf = btf__new_empty();
	int first;

	CHECK(btf);
	first = btf__add_const(btf, 2);
	CHECK_IS(btf__add_volatile(btf, first), 2);
	CHECK_IS(btf__add_array(btf, 3, 3, 2), 3);
	CHECK_IS(btf__add_struct(btf, "itself", 4), 4);
	CHECK_IS(btf__add_field(btf, "me", 4, 0, 0), 0);
	CHECK_ERR(btf__resolve_size(btf, first), EINVAL);
	CHECK_ERR(btf__resolve_type(btf, first), EINVAL);
	CHECK_ERR(btf__resolve_size(btf, 3), E2BIG);
	CHECK_IS(btf__align_of(btf, first), 0);
	CHECK_IS(btf__align_of(btf, 3), 0);
	CHECK_IS(btf__align_of(btf, 4), 0);
	CHECK_IS(btf__resolve_size(btf, 4), 4);
	btf__free(btf);
}

static void texts(void)
{
	struct btf *btf = btf__new_empty(), *more;
	const char *text;
	int at, other;

	CHECK_IS(btf__find_str(btf, ""), 0);
	CHECK_ERR(btf__find_str(btf, "apple"), ENOENT);
	at = btf__add_str(btf, "apple");
	CHECK_IS(at, 1);
	CHECK_IS(btf__add_str(btf, "apple"), at);
	CHECK_IS(btf__find_str(btf, "apple"), at);
	CHECK_TEXT(btf__str_by_offset(btf, at), "apple");
	CHECK_ERR(btf__add_str(btf, NULL), EINVAL);
	CHECK_NULL(btf__str_by_offset(btf, 7), EINVAL);

	more = btf__new_empty_split(btf);
	CHECK(more);
	CHECK(btf__base_btf(more) == btf);
	CHECK_IS(btf__add_str(more, "apple"), at);
	other = btf__add_str(more, "pear");
	CHECK_IS(other, 7);
	CHECK_TEXT(btf__str_by_offset(more, other), "pear");
	CHECK_NULL(btf__str_by_offset(btf, other), EINVAL);
	btf__free(more);

	for (int i = 0; i < 5000; i++) {
		char name[16];

		snprintf(name, sizeof(name), "name%d", i);
		other = btf__add_str(btf, name);
		CHECK(other > 0);
		text = btf__str_by_offset(btf, other);
		CHECK_TEXT(text, name);
	}
	CHECK_IS(btf__find_str(btf, "name4999"), other);
	CHECK_IS(btf__find_str(btf, "apple"), at);
	btf__free(btf);
}

static void copies(const struct btf *btf)
{
	struct btf *copy = btf__new_empty(), *more;
	const struct btf_type *type;
	int id, count = btf__type_cnt(btf) - 1;

	CHECK_IS(btf__add_int(copy, "first", 4, 0), 1);
	CHECK_IS(btf__add_btf(copy, btf), 2);
	CHECK_IS(btf__type_cnt(copy), count + 2);
	shift(1);
	check_all(copy);
	check_names(copy);
	// All of it once more: of two types with one name the first is found.
	CHECK_IS(btf__add_btf(copy, copy), count + 2);
	check_names(copy);
	shift(count + 1);
	check_all(copy);
	shift(-count - 2);

	more = btf__new_empty();
	type = btf__type_by_id(btf, ids.few);
	CHECK_IS(btf__add_type(more, btf, type), 1);
	type = btf__type_by_id(more, 1);
	CHECK_TEXT(btf__name_by_offset(more, type->name_off), "few");
	CHECK_TEXT(btf__name_by_offset(more, btf_enum(type)[1].name_off), "FEW_LESS");
	id = btf__add_type(more, more, type);
	CHECK_IS(id, 2);
	CHECK_TEXT(btf__name_by_offset(more, btf__type_by_id(more, id)->name_off), "few");
	btf__free(more);

	// What continues others goes to what continues the same.
	more = btf__new_empty_split(copy);
	CHECK(btf__add_ptr(more, 1) > 0);
	CHECK_ERR(btf__add_btf(copy, more), EOPNOTSUPP);
	btf__free(more);
	btf__free(copy);
}

static void continued(struct btf *btf)
{
	struct btf *more = btf__new_empty_split(btf), *read;
	const struct btf_type *type;
	const void *raw;
	__u32 size;
	int id;

	id = btf__add_struct(more, "forest", 48);
	CHECK_IS(id, btf__type_cnt(btf));
	CHECK_IS(btf__add_field(more, "first", ids.tree, 0, 0), 0);
	CHECK_IS(btf__add_field(more, "size", ids.number64, 320, 0), 0);
	CHECK_IS(btf__resolve_size(more, id), 48);
	CHECK_IS(btf__align_of(more, id), 8);
	raw = btf__raw_data(more, &size);
	CHECK(raw);
	read = btf__new_split(raw, size, btf);
	CHECK(read);
	type = at(read, id, BTF_KIND_STRUCT, "forest");
	CHECK_TEXT(btf__name_by_offset(read, btf_members(type)[0].name_off), "first");
	CHECK_IS(btf__find_by_name(read, "forest"), id);
	CHECK_IS(btf__find_by_name(read, "tree"), ids.tree);
	CHECK_IS(btf__type_cnt(read), btf__type_cnt(more));
	check_all(read);
	btf__free(read);
	// Without what they continue they are none.
	CHECK_NULL(btf__new(raw, size), EINVAL);
	btf__free(more);
}

static void bytes(struct btf *btf)
{
	unsigned char *broken;
	const void *raw, *swapped;
	struct btf *read;
	__u32 size, other;

	raw = btf__raw_data(btf, &size);
	CHECK(raw);
	CHECK(btf__raw_data(btf, &other) == raw);
	read = btf__new(raw, size);
	CHECK(read);
	check_all(read);
	CHECK_IS(btf__endianness(read), BTF_LITTLE_ENDIAN);
	CHECK(!memcmp(btf__get_raw_data(read, &other), raw, size));
	CHECK_IS(other, size);

	CHECK_IS(btf__set_endianness(read, BTF_BIG_ENDIAN), 0);
	CHECK_ERR(btf__set_endianness(read, 2), EINVAL);
	check_all(read);
	swapped = btf__raw_data(read, &other);
	CHECK_IS(other, size);
	CHECK(((const unsigned char *)swapped)[0] == 0xeb && ((const unsigned char *)swapped)[1] == 0x9f);
	{
		struct btf *again = btf__new(swapped, size);

		CHECK(again);
		CHECK_IS(btf__endianness(again), BTF_BIG_ENDIAN);
		check_all(again);
		CHECK(!memcmp(btf__raw_data(again, &other), swapped, size));
		CHECK_IS(btf__set_endianness(again, BTF_LITTLE_ENDIAN), 0);
		CHECK(!memcmp(btf__raw_data(again, &other), raw, size));
		// What is added to bytes that were read.
		CHECK_IS(btf__add_int(again, "later", 4, 0), ids.real + 1);
		check_all(again);
		raw = btf__raw_data(again, &other);
		CHECK(other > size);
		btf__free(again);
	}
	btf__free(read);

	// Each byte of all is changed once: it is read or refused, and what is read can be looked at.
	raw = btf__raw_data(btf, &size);
	broken = malloc(size);
	for (__u32 i = 0; i < size; i++) {
		for (int change = 0; change < 3; change++) {
			memcpy(broken, raw, size);
			broken[i] = change == 0 ? 0xff : change == 1 ? 0 : broken[i] ^ 0x80;
			errno = 0;
			read = btf__new(broken, size);
			if (!read) {
				CHECK(errno == EINVAL || errno == ENOTSUP);
				continue;
			}
			for (__u32 id = 0; id < btf__type_cnt(read); id++) {
				const struct btf_type *type = btf__type_by_id(read, id);

				CHECK(btf__name_by_offset(read, type->name_off));
				btf__resolve_size(read, id);
				btf__resolve_type(read, id);
				btf__align_of(read, id);
			}
			btf__free(read);
		}
	}
	// And all is cut off at each byte.
	for (__u32 i = 0; i < size; i++)
		CHECK_NULL(btf__new(raw, i), EINVAL);
	free(broken);
	CHECK_NULL(btf__new(NULL, 0), EINVAL);
}

static void files(void)
{
	struct btf_ext *ext = (void *)1;

	CHECK_NULL(btf__parse("/here/no_such_file", &ext), ENOENT);
	CHECK(!ext);
	CHECK_NULL(btf__parse_raw("/here/tests/btf.c"), EPROTO);
	CHECK_NULL(btf__parse_raw_split("/here/tests/btf.c", NULL), EPROTO);
	CHECK_NULL(btf__parse("/here/tests/btf.c", NULL), LIBBPF_ERRNO__FORMAT);
	CHECK_NULL(btf__parse_elf("/here/tests/btf.c", NULL), LIBBPF_ERRNO__FORMAT);
	CHECK_NULL(btf__parse_elf_split("/nowhere", NULL), ENOENT);
	CHECK_NULL(btf__parse_split(NULL, NULL), EINVAL);
}

int main(void)
{
	struct btf *btf;

	// What is refused here is said in many warnings.
	libbpf_set_print(NULL);
	btf = btf__new_empty();
	CHECK(btf);
	CHECK_IS(btf__type_cnt(btf), 1);
	CHECK_IS(btf__find_by_name(btf, "void"), 0);
	add_all(btf);
	check_all(btf);
	check_names(btf);
	copies(btf);
	continued(btf);
	bytes(btf);
	refused(btf);
	check_all(btf);
	CHECK_IS(btf__set_pointer_size(btf, 4), 0);
	CHECK_IS(btf__resolve_size(btf, ids.pointer), 4);
	CHECK_ERR(btf__set_pointer_size(btf, 5), EINVAL);
	CHECK_IS(btf__fd(btf), -1);
	btf__set_fd(btf, -7);
	CHECK_IS(btf__fd(btf), -7);
	btf__free(btf);
	loops();
	texts();
	files();
	return 0;
}
