// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Structs and unions with their members, and with what has to be written so that a compiler gives them the same places.
#include "dump.h"

// Whether a compiler has to be told that members are not where their alignment would have them.
static bool is_packed(const struct btf_dump *dump, const struct btf_type *type)
{
	const uint32_t count = btf_vlen(type);
	uint32_t most = 1;

	for (uint32_t i = 0; i < count; i++) {
		const uint32_t align = btf__align_of(dump->btf, btf_members(type)[i].type);

		if (align && !btf_member_bitfield_size(type, i) && btf_member_bit_offset(type, i) % (8 * align))
			return true;
		if (align > most)
			most = align;
	}
	return type->size % most;
}

static uint64_t round_up(uint64_t bits, uint32_t to)
{
	return (bits + to - 1) / to * to;
}

static void print_gap(struct btf_dump *dump, const char *type, uint64_t bits, int level)
{
	wb_dump_print(dump, "\n");
	wb_dump_indent(dump, level);
	wb_dump_print(dump, "%s: %llu;", type, (unsigned long long)bits);
}

// Fills from one bit to another, before a member of this alignment, with bit fields without names: the largest type that reaches a boundary
// of its own before the end, and from there on as many of it as fit.
static void fill(struct btf_dump *dump, uint64_t from, uint64_t to, uint32_t align, bool in_bit_fields, int level)
{
	const struct {
		const char *name;
		uint32_t bits;
	} types[] = { { "long", wb_btf_pointer_size(dump->btf) * 8 }, { "int", 32 }, { "short", 16 }, { "char", 8 } };
	uint64_t boundary;
	int i = 0;

	if (from >= to)
		return;
	while (i < 3 && round_up(from, types[i].bits) > to)
		i++;
	boundary = round_up(from, types[i].bits);
	if (boundary > from && boundary <= to) {
		const uint64_t skipped = boundary - from;

		// A compiler goes to the boundary by itself if that is where the next member belongs, or if what follows does not fit
		// before it.
		if (in_bit_fields || (boundary == to ? round_up(from, 8 * align) != to : to - boundary <= skipped))
			print_gap(dump, types[i].name, in_bit_fields ? skipped : 0, level);
		from = boundary;
	}
	for (; to - from >= types[i].bits; from += types[i].bits)
		print_gap(dump, types[i].name, types[i].bits, level);
	if (from < to) {
		// The rest, in the smallest type that has the bits.
		for (i = 3; types[i].bits < to - from; i--)
			;
		print_gap(dump, types[i].name, to - from, level);
	}
}

void wb_dump_define_struct(struct btf_dump *dump, uint32_t id, int level)
{
	const struct btf_type *type = wb_btf_type(dump->btf, id);
	const bool is_struct = btf_is_struct(type), packed = is_struct && is_packed(dump, type);
	const uint32_t count = btf_vlen(type);
	bool after_bit_field = false;
	uint64_t at = 0;

	if (!wb_dump_enter(dump, id))
		return;
	wb_dump_declare_struct(dump, id);
	wb_dump_print(dump, " {");
	for (uint32_t i = 0; i < count; i++) {
		const struct btf_member *member = &btf_members(type)[i];
		const uint32_t offset = btf_member_bit_offset(type, i), bits = btf_member_bitfield_size(type, i);
		uint32_t align = packed ? 1 : btf__align_of(dump->btf, member->type);
		int64_t size;

		// Of what has no alignment any place will do.
		fill(dump, at, offset, align ? align : 1, after_bit_field && bits, level + 1);
		wb_dump_print(dump, "\n");
		wb_dump_indent(dump, level + 1);
		wb_dump_declare(dump, member->type, btf__str_by_offset(dump->btf, member->name_off), level + 1);
		if (bits) {
			wb_dump_print(dump, ": %u", bits);
			at = (uint64_t)offset + bits;
		} else {
			size = btf__resolve_size(dump->btf, member->type);
			at = offset + (size > 0 ? (uint64_t)size * 8 : 0);
		}
		after_bit_field = bits;
		wb_dump_print(dump, ";");
	}
	if (is_struct) {
		const uint32_t align = btf__align_of(dump->btf, id);

		fill(dump, at, (uint64_t)type->size * 8, align ? align : 1, false, level + 1);
	}
	if (count || type->size) {
		wb_dump_print(dump, "\n");
		wb_dump_indent(dump, level);
	}
	wb_dump_print(dump, packed ? "} __attribute__((packed))" : "}");
	wb_dump_leave(dump);
}
