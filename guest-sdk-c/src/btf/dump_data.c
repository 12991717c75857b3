// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Values, by their types. The bytes are BPF's: pointers and long have the size that the types say.
#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "../options.h"
#include "dump.h"

struct writing {
	struct btf_dump *dump;
	const struct btf_dump_type_data_opts *options;
	const uint8_t *end;      // of the bytes that there are
	int depth;
	bool compact, without_names, with_zeroes, with_strings;
	bool in_array;           // elements have no names
	bool in_text;            // of an array of char
	bool is_text_over;       // after its NUL
};

static void print_indent(const struct writing *it)
{
	const char *text = WB_OPTION(it->options, indent_str, NULL);
	const int level = WB_OPTION(it->options, indent_level, 0) + it->depth;

	for (int i = 0; !it->compact && i < level; i++)
		wb_dump_print(it->dump, "%.31s", text ? text : "\t");
}

static const char *end_of_line(const struct writing *it)
{
	return it->compact || !it->depth ? "" : "\n";
}

static void end_value(const struct writing *it)
{
	wb_dump_print(it->dump, "%s%s", it->depth ? "," : "", end_of_line(it));
}

#define PRINT_VALUE(it, ...) \
	do { \
		wb_dump_print((it)->dump, __VA_ARGS__); \
		end_value(it); \
	} while (0)

// The type of the value itself; NULL if there is none behind its names.
static const struct btf_type *value_type(const struct writing *it, uint32_t id)
{
	for (int depth = 0; depth < WB_DUMP_DEPTH; depth++) {
		const struct btf_type *type = wb_btf_type(it->dump->btf, id);

		if (!btf_is_mod(type) && !btf_is_typedef(type))
			return type;
		id = type->type;
	}
	return NULL;
}

static bool is_byte(const struct writing *it, uint32_t id)
{
	const struct btf_type *type = value_type(it, id);

	return type && btf_is_int(type) && type->size == 1;
}

static bool has(const struct writing *it, const uint8_t *data, uint64_t size)
{
	return data <= it->end && size <= (uint64_t)(it->end - data);
}

// What lies so far behind; nothing, if there are not as many bytes.
static const uint8_t *behind(const struct writing *it, const uint8_t *data, uint64_t offset)
{
	return has(it, data, offset) ? data + offset : it->end;
}

// The bits of a bit field, which begin in the first byte.
static int bits_of(const struct writing *it, const uint8_t *data, uint32_t bit, uint32_t bits, uint64_t *value)
{
	const uint32_t size = (bit + bits + 7) / 8;
	uint64_t low = 0, high = 0;

	if (!has(it, data, size))
		return -E2BIG;
	if (bits > 64)
		return wb_refuse(EINVAL, "BTF: a bit field of %u bits", bits);
	// Up to 64 bits may lie in nine bytes.
	memcpy(&low, data, size < 8 ? size : 8);
	if (size > 8)
		high = data[8];
	*value = low >> bit;
	if (bit && high)
		*value |= high << (64 - bit);
	if (bits < 64)
		*value &= (1ULL << bits) - 1;
	return 0;
}

// A number of 1, 2, 4 or 8 bytes, at any address.
static int number_of(const uint8_t *data, uint32_t size, bool is_signed, uint64_t *value)
{
	uint64_t bytes = 0;

	if (size != 1 && size != 2 && size != 4 && size != 8)
		return wb_refuse(EINVAL, "BTF: a number of %u bytes", size);
	memcpy(&bytes, data, size);
	if (is_signed && size < 8 && bytes >> (size * 8 - 1))
		bytes |= ~0ULL << (size * 8);
	*value = bytes;
	return 0;
}

static bool is_zero(const uint8_t *data, uint32_t size)
{
	for (uint32_t i = 0; i < size; i++)
		if (data[i])
			return false;
	return true;
}

static int write_int(struct writing *it, const struct btf_type *type, const uint8_t *data)
{
	const bool is_signed = btf_int_encoding(type) & BTF_INT_SIGNED;
	uint64_t value, high;
	int err;

	if (type->size == 16) {
		memcpy(&value, data, 8);
		memcpy(&high, data + 8, 8);
		if (high)
			PRINT_VALUE(it, "0x%llx%016llx", (unsigned long long)high, (unsigned long long)value);
		else
			PRINT_VALUE(it, "0x%llx", (unsigned long long)value);
		return 0;
	}
	err = number_of(data, type->size, is_signed, &value);
	if (err)
		return err;
	if (type->size == 1 && it->in_text) {
		if (it->is_text_over)
			return 0;
		if (!*data) {
			it->is_text_over = true;
			PRINT_VALUE(it, "'\\0'");
			return 0;
		}
		if (isprint(*data)) {
			PRINT_VALUE(it, "'%c'", *data);
			return 0;
		}
	}
	PRINT_VALUE(it, is_signed ? "%lld" : "%llu", (unsigned long long)value);
	return 0;
}

static int write_float(struct writing *it, const struct btf_type *type, const uint8_t *data)
{
	double value;
	float small;

	switch (type->size) {
	case 8:
		memcpy(&value, data, sizeof(value));
		break;
	case 4:
		memcpy(&small, data, sizeof(small));
		value = small;
		break;
	default:
		return wb_refuse(EINVAL, "BTF: a floating point number of %u bytes", type->size);
	}
	PRINT_VALUE(it, "%f", value);
	return 0;
}

static int write_pointer(struct writing *it, const uint8_t *data)
{
	uint64_t value = 0;

	memcpy(&value, data, wb_btf_pointer_size(it->dump->btf));
	// As %p does where pointers have this size.
	if (value)
		PRINT_VALUE(it, "0x%llx", (unsigned long long)value);
	else
		PRINT_VALUE(it, "(nil)");
	return 0;
}

static int write_enum(struct writing *it, const struct btf_type *type, uint64_t value)
{
	const uint32_t count = btf_vlen(type);
	const bool is_signed = btf_kflag(type);

	for (uint32_t i = 0; i < count; i++) {
		const uint32_t *words = (const uint32_t *)(type + 1) + i * (btf_is_enum(type) ? 2 : 3);
		const uint64_t low = btf_is_enum(type) && is_signed ? (uint64_t)(int32_t)words[1] : words[1];

		if (value == (btf_is_enum(type) ? low : low | (uint64_t)words[2] << 32)) {
			PRINT_VALUE(it, "%s", btf__str_by_offset(it->dump->btf, words[0]));
			return 0;
		}
	}
	if (btf_is_enum(type))
		PRINT_VALUE(it, is_signed ? "%lld" : "%llu", (unsigned long long)value);
	else
		PRINT_VALUE(it, is_signed ? "%lldLL" : "%lluULL", (unsigned long long)value);
	return 0;
}

static int write_value(struct writing *it, const char *name, uint32_t id, const uint8_t *data, uint32_t bit, uint32_t bits);

static int write_struct(struct writing *it, const struct btf_type *type, const uint8_t *data)
{
	const uint32_t count = btf_vlen(type);
	int result;

	it->depth++;
	wb_dump_print(it->dump, "{%s", end_of_line(it));
	for (uint32_t i = 0; i < count; i++) {
		const struct btf_member *member = &btf_members(type)[i];
		const uint32_t offset = btf_member_bit_offset(type, i);

		result = write_value(it, btf__str_by_offset(it->dump->btf, member->name_off), member->type, behind(it, data, offset / 8),
				     offset % 8, btf_member_bitfield_size(type, i));
		if (result < 0)
			return result;
	}
	it->depth--;
	print_indent(it);
	PRINT_VALUE(it, "}");
	return 0;
}

// Whether it was a text with an end, and was written.
static bool write_text(struct writing *it, const struct btf_array *array, const uint8_t *data)
{
	const uint32_t most = has(it, data, array->nelems) ? array->nelems : data < it->end ? it->end - data : 0;
	const uint8_t *nul = memchr(data, 0, most);

	if (!nul)
		return false;
	wb_dump_print(it->dump, "\"");
	for (; data < nul; data++)
		wb_dump_print(it->dump, isprint(*data) ? "%c" : "\\x%02x", *data);
	PRINT_VALUE(it, "\"");
	return true;
}

static int write_array(struct writing *it, const struct btf_type *type, const uint8_t *data)
{
	const struct btf_array *array = btf_array(type);
	const int64_t size = btf__resolve_size(it->dump->btf, array->type);
	const bool in_array = it->in_array, in_text = it->in_text, is_text_over = it->is_text_over;

	if (size <= 0)
		return wb_refuse(EINVAL, "BTF: the elements of an array have no size: type %u", array->type);
	if (it->with_strings && is_byte(it, array->type) && write_text(it, array, data))
		return 0;
	it->in_text = is_byte(it, array->type);
	it->is_text_over = false;
	it->in_array = true;
	it->depth++;
	wb_dump_print(it->dump, "[%s", end_of_line(it));
	// As far as there are bytes.
	for (uint32_t i = 0; i < array->nelems && !it->is_text_over && !it->dump->error && has(it, data, (uint64_t)i * size + 1); i++)
		write_value(it, NULL, array->type, data + i * size, 0, 0);
	it->in_array = in_array;
	it->in_text = in_text;
	it->is_text_over = is_text_over;
	it->depth--;
	print_indent(it);
	PRINT_VALUE(it, "]");
	return 0;
}

static int write_variable(struct writing *it, const struct btf_type *type, const uint8_t *data)
{
	const uint32_t linkage = btf_var(type)->linkage;

	wb_dump_print(it->dump, linkage == BTF_VAR_STATIC ? "static " : linkage == BTF_VAR_GLOBAL_EXTERN ? "extern " : "");
	it->dump->without_bodies = it->dump->without_modifiers = true;
	wb_dump_declare(it->dump, type->type, "", 0);
	it->dump->without_bodies = it->dump->without_modifiers = false;
	wb_dump_print(it->dump, " %s = ", wb_btf_name(it->dump->btf, type));
	return write_value(it, NULL, type->type, data, 0, 0);
}

static int write_section(struct writing *it, const struct btf_type *type, const uint8_t *data)
{
	const uint32_t count = btf_vlen(type);
	int result;

	PRINT_VALUE(it, "SEC(\"%s\") ", wb_btf_name(it->dump->btf, type));
	for (uint32_t i = 0; i < count; i++) {
		const struct btf_var_secinfo *variable = &btf_var_secinfos(type)[i];

		result = write_value(it, NULL, variable->type, behind(it, data, variable->offset), 0, 0);
		if (result < 0)
			return result;
		wb_dump_print(it->dump, ";");
	}
	return 0;
}

static int write_kind(struct writing *it, uint32_t id, const struct btf_type *type, const uint8_t *data, uint32_t bit, uint32_t bits)
{
	const unsigned int kind = btf_kind(type);
	uint64_t value;
	int err;

	if (bits) {
		err = bits_of(it, data, bit, bits, &value);
		if (err)
			return err;
		if (kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64)
			return write_enum(it, type, value);
		PRINT_VALUE(it, "0x%llx", (unsigned long long)value);
		return 0;
	}
	switch (kind) {
	case BTF_KIND_INT:
		return write_int(it, type, data);
	case BTF_KIND_FLOAT:
		return write_float(it, type, data);
	case BTF_KIND_PTR:
		return write_pointer(it, data);
	case BTF_KIND_ARRAY:
		return write_array(it, type, data);
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return write_struct(it, type, data);
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		err = number_of(data, type->size, btf_kflag(type), &value);
		return err ? err : write_enum(it, type, value);
	case BTF_KIND_VAR:
		return write_variable(it, type, data);
	case BTF_KIND_DATASEC:
		return write_section(it, type, data);
	}
	wb_dump_print(it->dump, "<unsupported kind:%u>", kind);
	return wb_refuse(ENOTSUP, "BTF: type %u of the kind %u has no values", id, kind);
}

static bool is_left_out(struct writing *it, uint32_t id, const uint8_t *data, uint32_t bit, uint32_t bits);

static bool is_array_left_out(struct writing *it, const struct btf_array *array, const uint8_t *data)
{
	const int64_t size = btf__resolve_size(it->dump->btf, array->type);

	// A text is 0 if it is empty.
	if (is_byte(it, array->type) && has(it, data, 1) && !*data)
		return true;
	for (uint32_t i = 0; i < array->nelems && size > 0; i++)
		if (!has(it, data, i * (uint64_t)size) || !is_left_out(it, array->type, data + i * size, 0, 0))
			return false;
	return size >= 0;
}

static bool is_struct_left_out(struct writing *it, const struct btf_type *type, const uint8_t *data)
{
	const uint32_t count = btf_vlen(type);

	for (uint32_t i = 0; i < count; i++) {
		const uint32_t offset = btf_member_bit_offset(type, i), bits = btf_member_bitfield_size(type, i);

		if (!is_left_out(it, btf_members(type)[i].type, behind(it, data, offset / 8), offset % 8, bits))
			return false;
	}
	return true;
}

// Whether all of it is 0.
static bool is_left_out(struct writing *it, uint32_t id, const uint8_t *data, uint32_t bit, uint32_t bits)
{
	const struct btf_type *type = value_type(it, id);
	uint64_t value;
	int64_t size;
	bool is = false;

	if (bits)
		return !bits_of(it, data, bit, bits, &value) && !value;
	if (!type || !wb_dump_enter(it->dump, id))
		return false;
	switch (btf_kind(type)) {
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
	case BTF_KIND_PTR:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		size = btf__resolve_size(it->dump->btf, id);
		is = size >= 0 && has(it, data, size) && is_zero(data, size);
		break;
	case BTF_KIND_ARRAY:
		is = is_array_left_out(it, btf_array(type), data);
		break;
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		is = is_struct_left_out(it, type, data);
		break;
	}
	wb_dump_leave(it->dump);
	return is;
}

// Bytes of the value, or a negative errno. Of what is made of parts those are written that there are.
static int size_of(const struct writing *it, uint32_t id, const struct btf_type *type, const uint8_t *data, uint32_t bit, uint32_t bits)
{
	const uint32_t kind = btf_kind(type);
	int64_t size;

	if (bits) {
		size = (bit + bits + 7) / 8;
		return has(it, data, size) ? size : -E2BIG;
	}
	size = btf__resolve_size(it->dump->btf, id);
	if (size < 0 || size >= INT_MAX)
		return wb_refuse(EINVAL, "BTF: type %u has no size that values can have", id);
	switch (kind) {
	case BTF_KIND_INT:
	case BTF_KIND_FLOAT:
	case BTF_KIND_PTR:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		return has(it, data, size) ? size : -E2BIG;
	case BTF_KIND_ARRAY:
		// One element, or a part of it, has to be there.
		return has(it, data, size ? 1 : 0) ? size : -E2BIG;
	}
	return size;
}

static void print_cast(struct writing *it, uint32_t id)
{
	const struct btf_type *type = wb_btf_type(it->dump->btf, id);

	if (it->in_array || btf_is_var(type) || btf_is_datasec(type))
		return;
	wb_dump_print(it->dump, "(");
	it->dump->without_bodies = it->dump->without_modifiers = true;
	wb_dump_declare(it->dump, id, "", 0);
	it->dump->without_bodies = it->dump->without_modifiers = false;
	wb_dump_print(it->dump, ")");
}

static int write_value(struct writing *it, const char *name, uint32_t id, const uint8_t *data, uint32_t bit, uint32_t bits)
{
	const struct btf_type *type = value_type(it, id);
	int size, err;

	if (!type)
		return wb_refuse(EINVAL, "BTF: type %u is itself", id);
	size = size_of(it, id, type, data, bit, bits);
	if (size < 0)
		return size;
	// What was asked for is written in any case, and so are elements between others.
	if (!it->with_zeroes && it->depth && (!it->in_array || it->in_text) && is_left_out(it, id, data, bit, bits))
		return size;
	if (!wb_dump_enter(it->dump, id))
		return it->dump->error;
	print_indent(it);
	if (!it->without_names) {
		if (name && *name)
			wb_dump_print(it->dump, ".%s = ", name);
		print_cast(it, id);
	}
	err = write_kind(it, id, type, data, bit, bits);
	wb_dump_leave(it->dump);
	return err < 0 ? err : size;
}

int btf_dump__dump_type_data(struct btf_dump *dump, __u32 id, const void *data, size_t size, const struct btf_dump_type_data_opts *opts)
{
	struct writing it = { .dump = dump, .options = opts, .end = (const uint8_t *)data + size };
	int result;

	if (!WB_OPTIONS_VALID(opts, btf_dump_type_data_opts))
		return -EINVAL;
	result = wb_dump_grow(dump);
	if (result)
		return result;
	if (id >= dump->known)
		return wb_refuse(ENOENT, "BTF: there is no type %u", id);
	it.compact = WB_OPTION(opts, compact, false);
	it.without_names = WB_OPTION(opts, skip_names, false);
	it.with_zeroes = WB_OPTION(opts, emit_zeroes, false);
	it.with_strings = WB_OPTION(opts, emit_strings, false);
	dump->error = 0;
	result = write_value(&it, NULL, id, data, 0, 0);
	if (result >= 0 && dump->error)
		result = dump->error;
	if (result < 0)
		errno = -result;
	return result;
}
