// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Types written as C: definitions with all that they need, declarations of every shape, and values.
// grants: none
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "check.h"

static char written[1 << 16];
static size_t length;

static void keep(void *context, const char *format, va_list arguments)
{
	int more = vsnprintf(written + length, sizeof(written) - length, format, arguments);

	CHECK(context == &length);
	CHECK(more >= 0 && length + more < sizeof(written));
	length += more;
}

static struct btf_dump *begin(const struct btf *btf)
{
	struct btf_dump *dump = btf_dump__new(btf, keep, &length, NULL);

	CHECK(dump);
	return dump;
}

#define CHECK_WRITTEN(call, text) \
	do { \
		length = 0; \
		written[0] = 0; \
		CHECK_IS(call, 0); \
		CHECK_TEXT(written, text); \
	} while (0)

static int number, number64, character, byte, real;

static struct btf *numbers(void)
{
	struct btf *btf = btf__new_empty();

	CHECK(btf);
	number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	number64 = btf__add_int(btf, "long unsigned int", 8, 0);
	character = btf__add_int(btf, "char", 1, BTF_INT_SIGNED);
	byte = btf__add_int(btf, "unsigned char", 1, 0);
	real = btf__add_float(btf, "double", 8);
	CHECK_IS(real, 5);
	return btf;
}

static void definitions(void)
{
	struct btf *btf = numbers();
	struct btf_dump *dump;
	int node, pointer, tree, leaf, kind, other, loose, alias, missing;

	node = btf__add_struct(btf, "node", 24);
	CHECK_IS(btf__add_field(btf, "next", node + 1, 0, 0), 0);
	CHECK_IS(btf__add_field(btf, "tree", node + 3, 64, 0), 0);
	CHECK_IS(btf__add_field(btf, "bits", number, 128, 3), 0);
	CHECK_IS(btf__add_field(btf, "more", number, 137, 5), 0);
	pointer = btf__add_ptr(btf, node);
	CHECK_IS(pointer, node + 1);
	tree = btf__add_struct(btf, "tree", 32);
	CHECK_IS(btf__add_field(btf, "node", node, 0, 0), 0);
	CHECK_IS(btf__add_field(btf, "last", number, 224, 0), 0);
	CHECK_IS(btf__add_ptr(btf, tree), node + 3);
	kind = btf__add_enum(btf, "kind", 4);
	CHECK_IS(btf__add_enum_value(btf, "KIND_NONE", 0), 0);
	CHECK_IS(btf__add_enum_value(btf, "KIND_LESS", -2), 0);
	leaf = btf__add_union(btf, "leaf", 8);
	CHECK_IS(btf__add_field(btf, "kind", kind, 0, 0), 0);
	CHECK_IS(btf__add_field(btf, NULL, leaf + 1, 0, 0), 0);
	CHECK_IS(btf__add_struct(btf, NULL, 8), leaf + 1);
	CHECK_IS(btf__add_field(btf, "low", byte, 0, 0), 0);
	CHECK_IS(btf__add_field(btf, "high", number, 32, 0), 0);
	// Members where no alignment has them.
	loose = btf__add_struct(btf, "loose", 5);
	CHECK_IS(btf__add_field(btf, "first", byte, 0, 0), 0);
	CHECK_IS(btf__add_field(btf, "second", number, 8, 0), 0);
	other = btf__add_enum64(btf, "wide", 8, false);
	CHECK_IS(btf__add_enum64_value(btf, "KIND_NONE", 1ull << 40), 0);
	alias = btf__add_typedef(btf, "leaf", leaf);
	missing = btf__add_fwd(btf, "elsewhere", BTF_FWD_UNION);

	dump = begin(btf);
	CHECK_WRITTEN(btf_dump__dump_type(dump, tree),
		      "struct tree;\n\n"
		      "struct node {\n\tstruct node *next;\n\tstruct tree *tree;\n\tint bits: 3;\n\tchar: 5;\n"
		      "\tchar: 1;\n\tint more: 5;\n};\n\n"
		      "struct tree {\n\tstruct node node;\n\tint: 32;\n\tint last;\n};\n\n");
	// What was written is not written again.
	CHECK_WRITTEN(btf_dump__dump_type(dump, tree), "");
	CHECK_WRITTEN(btf_dump__dump_type(dump, alias),
		      "enum kind {\n\tKIND_NONE = 0,\n\tKIND_LESS = -2,\n};\n\n"
		      "union leaf {\n\tenum kind kind;\n\tstruct {\n\t\tunsigned char low;\n\t\tint high;\n\t};\n};\n\n"
		      "typedef union leaf leaf;\n\n");
	CHECK_WRITTEN(btf_dump__dump_type(dump, loose),
		      "struct loose {\n\tunsigned char first;\n\tint second;\n} __attribute__((packed));\n\n");
	// A value's name that was there.
	CHECK_WRITTEN(btf_dump__dump_type(dump, other), "enum wide {\n\tKIND_NONE___2 = 1099511627776ULL,\n};\n\n");
	CHECK_WRITTEN(btf_dump__dump_type(dump, missing), "union elsewhere;\n\n");
	CHECK_WRITTEN(btf_dump__dump_type(dump, number), "");
	CHECK_ERR(btf_dump__dump_type(dump, 1000), EINVAL);

	// Types that came later, of which one has a name that is taken.
	other = btf__add_struct(btf, "node", 4);
	CHECK_IS(btf__add_field(btf, "number", number, 0, 0), 0);
	CHECK_WRITTEN(btf_dump__dump_type(dump, other), "struct node___2 {\n\tint number;\n};\n\n");
	btf_dump__free(dump);
	btf__free(btf);
}

static struct btf_dump *dump;

static const char *declared(int id, const char *name, bool strip)
{
	LIBBPF_OPTS(btf_dump_emit_type_decl_opts, opts, .field_name = name, .strip_mods = strip);

	CHECK(id > 0);
	length = 0;
	written[0] = 0;
	CHECK_IS(btf_dump__emit_type_decl(dump, id, &opts), 0);
	return written;
}

static void declarations(void)
{
	struct btf *btf = numbers();
	int constant, pointer, fixed, array, function, type;

	dump = begin(btf);
	CHECK_TEXT(declared(number, "n", false), "int n");
	CHECK_TEXT(declared(number, "", false), "int");
	constant = btf__add_const(btf, btf__add_volatile(btf, character));
	CHECK_TEXT(declared(constant, "c", false), "volatile const char c");
	CHECK_TEXT(declared(constant, "c", true), "char c");
	pointer = btf__add_ptr(btf, constant);
	CHECK_TEXT(declared(pointer, "p", false), "volatile const char *p");
	fixed = btf__add_const(btf, pointer);
	CHECK_TEXT(declared(fixed, "p", false), "volatile const char * const p");
	CHECK_TEXT(declared(fixed, "p", true), "char *p");
	CHECK_TEXT(declared(btf__add_ptr(btf, fixed), "pp", false), "volatile const char * const *pp");
	CHECK_TEXT(declared(btf__add_ptr(btf, 0), "any", false), "void *any");
	CHECK_TEXT(declared(btf__add_ptr(btf, btf__add_const(btf, 0)), "", false), "const void *");
	CHECK_TEXT(declared(btf__add_restrict(btf, pointer), "r", false), "volatile const char * restrict r");

	array = btf__add_array(btf, number, btf__add_array(btf, number, number, 3), 2);
	CHECK_TEXT(declared(array, "a", false), "int a[2][3]");
	CHECK_TEXT(declared(array, "", false), "int[2][3]");
	CHECK_TEXT(declared(btf__add_ptr(btf, array), "pa", false), "int (*pa)[2][3]");
	CHECK_TEXT(declared(btf__add_ptr(btf, array), "", false), "int(*)[2][3]");
	CHECK_TEXT(declared(btf__add_array(btf, number, pointer, 4), "ap", false), "volatile const char *ap[4]");

	function = btf__add_func_proto(btf, 0);
	CHECK_TEXT(declared(btf__add_ptr(btf, function), "f", false), "void (*f)(void)");
	CHECK_TEXT(declared(function, "f", false), "void f(void)");
	CHECK_TEXT(declared(btf__add_array(btf, number, btf__add_ptr(btf, function), 7), "table", false), "void (*table[7])(void)");
	type = btf__add_ptr(btf, function);
	function = btf__add_func_proto(btf, type);
	CHECK_IS(btf__add_func_param(btf, "first", number), 0);
	CHECK_IS(btf__add_func_param(btf, "second", type), 0);
	CHECK_IS(btf__add_func_param(btf, NULL, 0), 0);
	CHECK_TEXT(declared(function, "get", false), "void (*get(int first, void (*second)(void), ...))(void)");
	CHECK_TEXT(declared(btf__add_ptr(btf, function), "get", false), "void (* (*get)(int first, void (*second)(void), ...))(void)");

	type = btf__add_type_tag(btf, "user", number);
	CHECK_TEXT(declared(btf__add_ptr(btf, type), "u", false), "int __attribute__((btf_type_tag(\"user\"))) *u");
	CHECK_TEXT(declared(btf__add_ptr(btf, type), "u", true), "int *u");
	CHECK_TEXT(declared(btf__add_ptr(btf, btf__add_type_attr(btf, "noderef", number)), "u", false), "int __attribute__((noderef)) *u");
	CHECK_TEXT(declared(btf__add_fwd(btf, "thing", BTF_FWD_STRUCT), "t", false), "struct thing t");
	CHECK_TEXT(declared(btf__add_typedef(btf, "name_t", number), "t", false), "name_t t");
	type = btf__add_struct(btf, NULL, 4);
	CHECK_IS(btf__add_field(btf, "x", number, 0, 0), 0);
	CHECK_TEXT(declared(type, "s", false), "struct {\n\tint x;\n} s");
	CHECK_ERR(btf_dump__emit_type_decl(dump, btf__add_var(btf, "v", 1, number), NULL), EINVAL);
	CHECK_ERR(btf_dump__emit_type_decl(dump, 1000, NULL), EINVAL);
	{
		LIBBPF_OPTS(btf_dump_emit_type_decl_opts, opts, .field_name = "s", .indent_level = 2);

		CHECK_WRITTEN(btf_dump__emit_type_decl(dump, type, &opts), "struct {\n\t\t\tint x;\n\t\t} s");
		opts.sz = 2;
		CHECK_ERR(btf_dump__emit_type_decl(dump, type, &opts), EINVAL);
	}
	btf_dump__free(dump);
	btf__free(btf);
}

// Types that no compiler writes.
static void loops(void)
{
	struct btf *btf = numbers();
	int round, itself, hidden, deep;

	round = btf__add_const(btf, real + 2);
	CHECK_IS(btf__add_volatile(btf, round), round + 1);
	itself = btf__add_struct(btf, "itself", 4);
	CHECK_IS(btf__add_field(btf, "me", itself, 0, 0), 0);
	hidden = btf__add_struct(btf, NULL, 8);
	CHECK_IS(btf__add_field(btf, "me", hidden + 1, 0, 0), 0);
	CHECK_IS(btf__add_ptr(btf, hidden), hidden + 1);
	deep = number;
	for (int i = 0; i < 200; i++)
		deep = btf__add_ptr(btf, deep);

	dump = begin(btf);
	CHECK_ERR(btf_dump__dump_type(dump, round), ELOOP);
	CHECK_ERR(btf_dump__dump_type(dump, itself), ELOOP);
	CHECK_ERR(btf_dump__dump_type(dump, hidden), ELOOP);
	length = 0;
	CHECK_ERR(btf_dump__emit_type_decl(dump, hidden, NULL), ELOOP);
	CHECK_ERR(btf_dump__emit_type_decl(dump, deep, NULL), ELOOP);
	CHECK_ERR(btf_dump__dump_type_data(dump, itself, &round, sizeof(round), NULL), ELOOP);
	btf_dump__free(dump);
	btf__free(btf);
	CHECK_NULL(btf_dump__new(NULL, keep, NULL, NULL), EINVAL);
	btf = btf__new_empty();
	CHECK_NULL(btf_dump__new(btf, NULL, NULL, NULL), EINVAL);
	btf__free(btf);
	btf_dump__free(NULL);
}

#define CHECK_DATA(id, value, wanted, ...) \
	do { \
		LIBBPF_OPTS(btf_dump_type_data_opts, opts_, __VA_ARGS__); \
		length = 0; \
		written[0] = 0; \
		CHECK_IS(btf_dump__dump_type_data(dump, id, &(value), sizeof(value), &opts_), sizeof(value)); \
		CHECK_TEXT(written, wanted); \
	} while (0)

static void values(void)
{
	struct {
		__s32 number;
		__u32 bits : 3, more : 13, : 16;
		char name[8];
		__u8 bytes[3];
		__u8 single;
		__s32 kind;
		__u64 pointer;
		double real;
		struct {
			__s32 first, second;
		} inner[2];
	} value = {
		.number = -5, .bits = 5, .name = "ab\n", .bytes = { 1, 0, 200 }, .kind = -2, .pointer = 0x123456789a, .real = 2.5,
		.inner = { [1] = { .second = 9 } },
	};
	struct btf *btf = numbers();
	struct {
		__u64 low, high;
	} large = { 1, 0 };
	__s32 n = -3, zero = 0;
	int text, bytes, kind, inner, all, wide, variable, section;

	text = btf__add_array(btf, number, character, 8);
	bytes = btf__add_array(btf, number, byte, 3);
	kind = btf__add_enum(btf, "kind", 4);
	CHECK_IS(btf__add_enum_value(btf, "KIND_LESS", -2), 0);
	inner = btf__add_struct(btf, "inner", 8);
	CHECK_IS(btf__add_field(btf, "first", number, 0, 0), 0);
	CHECK_IS(btf__add_field(btf, "second", number, 32, 0), 0);
	all = btf__add_struct(btf, "all", sizeof(value));
	CHECK_IS(btf__add_field(btf, "number", number, 0, 0), 0);
	CHECK_IS(btf__add_field(btf, "bits", number, 32, 3), 0);
	CHECK_IS(btf__add_field(btf, "more", number, 35, 13), 0);
	CHECK_IS(btf__add_field(btf, "name", text, 64, 0), 0);
	CHECK_IS(btf__add_field(btf, "bytes", bytes, 128, 0), 0);
	CHECK_IS(btf__add_field(btf, "single", byte, 152, 0), 0);
	CHECK_IS(btf__add_field(btf, "kind", kind, 160, 0), 0);
	CHECK_IS(btf__add_field(btf, "pointer", all + 1, 192, 0), 0);
	CHECK_IS(btf__add_field(btf, "real", real, 256, 0), 0);
	CHECK_IS(btf__add_field(btf, "inner", all + 2, 320, 0), 0);
	CHECK_IS(btf__add_ptr(btf, inner), all + 1);
	CHECK_IS(btf__add_array(btf, number, inner, 2), all + 2);
	wide = btf__add_int(btf, "__int128", 16, 0);
	variable = btf__add_var(btf, "count", BTF_VAR_STATIC, number);
	section = btf__add_datasec(btf, ".data", 4);
	CHECK_IS(btf__add_datasec_var_info(btf, variable, 0, 4), 0);
	dump = begin(btf);

	CHECK_DATA(number, n, "(int)-3");
	CHECK_DATA(number, n, "-3", .skip_names = true);
	CHECK_DATA(number, zero, "(int)0");
	CHECK_DATA(wide, large, "(__int128)0x1");
	large.high = 2;
	CHECK_DATA(wide, large, "(__int128)0x20000000000000001");
	CHECK_DATA(variable, n, "static int count = (int)-3");
	CHECK_DATA(section, n, "SEC(\".data\") static int count = (int)-3;");
	CHECK_DATA(kind, value.kind, "(enum kind)KIND_LESS");
	CHECK_DATA(kind, n, "(enum kind)-3");
	CHECK_DATA(text, value.name, "(char[8])\"ab\\x0a\"", .emit_strings = true);
	CHECK_DATA(text, value.name, "(char[8])['a','b',10,]", .compact = true);
	CHECK_DATA(all, value,
		   "(struct all){.number = (int)-5,.bits = (int)0x5,.name = (char[8])\"ab\\x0a\","
		   ".bytes = (unsigned char[3])\"\\x01\",.kind = (enum kind)KIND_LESS,"
		   ".pointer = (struct inner *)0x123456789a,.real = (double)2.500000,"
		   ".inner = (struct inner[2])[{.first = 0,.second = 0,},{.first = 0,.second = 9,},],}",
		   .compact = true, .emit_strings = true);
	memset(&value, 0, sizeof(value));
	value.single = 'x';
	CHECK_DATA(all, value, "(struct all){\n\t.single = (unsigned char)120,\n}");
	CHECK_DATA(all, value, "-(struct all){\n--.single = (unsigned char)120,\n-}", .indent_str = "-", .indent_level = 1);
	value.number = -5;
	CHECK_DATA(all, value, "{-5,0x0,0x0,['\\0',],['\\0',],120,0,(nil),0.000000,[{0,0,},{0,0,},],}", .compact = true, .skip_names = true,
		   .emit_zeroes = true);

	// What there is of a struct is written.
	length = 0;
	CHECK_ERR(btf_dump__dump_type_data(dump, all, &value, 7, NULL), E2BIG);
	CHECK_TEXT(written, "(struct all){\n\t.number = (int)-5,\n");
	CHECK_ERR(btf_dump__dump_type_data(dump, number, &n, 3, NULL), E2BIG);
	CHECK_ERR(btf_dump__dump_type_data(dump, 1000, &n, 4, NULL), ENOENT);
	CHECK_ERR(btf_dump__dump_type_data(dump, 0, &n, 4, NULL), EINVAL);
	btf_dump__free(dump);
	btf__free(btf);
}

int main(void)
{
	libbpf_set_print(NULL);
	definitions();
	declarations();
	loops();
	values();
	return 0;
}
