/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/*
 * Types: BTF of the kernel, of its modules, of objects, of files, and of the program's own making.
 *
 * What a struct btf has is memory of the guest, in the layout of <linux/btf.h>. Types and names stay where they are until something is
 * added to it.
 */
#ifndef BPF_BTF_H
#define BPF_BTF_H

#include <stdarg.h>
#include <stdbool.h>

#include <linux/btf.h>
#include <linux/types.h>

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BTF_ELF_SEC ".BTF"
#define BTF_EXT_ELF_SEC ".BTF.ext"
#define BTF_BASE_ELF_SEC ".BTF.base"
#define MAPS_ELF_SEC ".maps"

struct btf;
struct btf_ext;
struct btf_type;

enum btf_endianness {
	BTF_LITTLE_ENDIAN = 0,
	BTF_BIG_ENDIAN = 1,
};

/* Frees it, but not what it is based on. NULL is allowed. */
LIBBPF_API void btf__free(struct btf *btf);

/*
 * Types from memory: the content of a section .BTF, in any byte order. It is copied. NULL with EINVAL if it is not well-formed; a warning
 * says where.
 */
LIBBPF_API struct btf *btf__new(const void *data, __u32 size);

/* The same for types that continue others, which have to live as long. */
LIBBPF_API struct btf *btf__new_split(const void *data, __u32 size, struct btf *base_btf);

/* Types from a file, which is BTF or an ELF file of 64 bits that has it. Files of /sys/kernel/btf are found also without --dir. */
LIBBPF_API struct btf *btf__parse(const char *path, struct btf_ext **btf_ext);
/* The same for types that continue others. */
LIBBPF_API struct btf *btf__parse_split(const char *path, struct btf *base_btf);

/* The same for ELF files alone: ENODATA if there are no types in it. `btf_ext` gets the section .BTF.ext, or NULL if there is none. */
LIBBPF_API struct btf *btf__parse_elf(const char *path, struct btf_ext **btf_ext);
/* The same for types that continue others. */
LIBBPF_API struct btf *btf__parse_elf_split(const char *path, struct btf *base_btf);

/* The same for files that are BTF: EPROTO if it is something else. */
LIBBPF_API struct btf *btf__parse_raw(const char *path);
/* The same for types that continue others. */
LIBBPF_API struct btf *btf__parse_raw_split(const char *path, struct btf *base_btf);

/* The types of the running kernel, or what the host was given in their place (--btf). They are copied into the guest: some 5 MB. */
LIBBPF_API struct btf *btf__load_vmlinux_btf(void);

/* The types of a module, which continue those of the kernel. */
LIBBPF_API struct btf *btf__load_module_btf(const char *module_name, struct btf *vmlinux_btf);

/* Types that are in the kernel under an id. Needs the grant `query`. Those of modules need the kernel's as their base. */
LIBBPF_API struct btf *btf__load_from_kernel_by_id(__u32 id);
/* The same for types that continue others. */
LIBBPF_API struct btf *btf__load_from_kernel_by_id_split(__u32 id, struct btf *base_btf);

/* The lowest id of a type with this name: -ENOENT if there is none. "void" is 0. */
LIBBPF_API __s32 btf__find_by_name(const struct btf *btf, const char *type_name);

/* The same of one kind. */
LIBBPF_API __s32 btf__find_by_name_kind(const struct btf *btf, const char *type_name, __u32 kind);

/* One more than the highest id. */
LIBBPF_API __u32 btf__type_cnt(const struct btf *btf);

/* What it continues, NULL if nothing. */
LIBBPF_API const struct btf *btf__base_btf(const struct btf *btf);

/* The type of an id, 0 is void: NULL with EINVAL if there is none. */
LIBBPF_API const struct btf_type *btf__type_by_id(const struct btf *btf, __u32 id);

/*
 * Bytes of a pointer: what was set, or those of the type `long`; 0 if there is none. Pointers are then taken to have 8, as BPF's have, not
 * the guest's 4.
 */
LIBBPF_API size_t btf__pointer_size(const struct btf *btf);

/* Sets it: 4 or 8. */
LIBBPF_API int btf__set_pointer_size(struct btf *btf, size_t ptr_sz);

/* The byte order of btf__raw_data: at first that of what was read. */
LIBBPF_API enum btf_endianness btf__endianness(const struct btf *btf);

/* Sets it. What btf__type_by_id gives is in the guest's order in any case. */
LIBBPF_API int btf__set_endianness(struct btf *btf, enum btf_endianness endian);

/* Bytes of a value: -EINVAL for what has no size, -E2BIG for more than 32 bits can count. */
LIBBPF_API __s64 btf__resolve_size(const struct btf *btf, __u32 type_id);

/* The type behind typedefs, modifiers and variables: -EINVAL if that is void, or there is no end to it. */
LIBBPF_API int btf__resolve_type(const struct btf *btf, __u32 type_id);

/* The alignment of a value; 0 with EINVAL for what has none. Beyond libbpf, types that contain themselves are found out. */
LIBBPF_API int btf__align_of(const struct btf *btf, __u32 id);

/* What btf__set_fd set; else -1. */
LIBBPF_API int btf__fd(const struct btf *btf);

/* Gives it a descriptor, which btf__free closes. */
LIBBPF_API void btf__set_fd(struct btf *btf, int fd);

/* All of it as the content of a section .BTF. It belongs to `btf`, until something is added. */
LIBBPF_API const void *btf__raw_data(const struct btf *btf, __u32 *size);

/* The text at an offset among the names: NULL with EINVAL if there is none. */
LIBBPF_API const char *btf__name_by_offset(const struct btf *btf, __u32 offset);
/* The same. */
LIBBPF_API const char *btf__str_by_offset(const struct btf *btf, __u32 offset);

/* Lines, functions and relocations of an object's instructions: the content of a section .BTF.ext, which is copied. */
LIBBPF_API struct btf_ext *btf_ext__new(const __u8 *data, __u32 size);

/* Frees it. NULL is allowed. */
LIBBPF_API void btf_ext__free(struct btf_ext *btf_ext);

/* All of it, in the byte order that was set. */
LIBBPF_API const void *btf_ext__raw_data(const struct btf_ext *btf_ext, __u32 *size);

/* The byte order of btf_ext__raw_data. */
LIBBPF_API enum btf_endianness btf_ext__endianness(const struct btf_ext *btf_ext);

/* Sets it. */
LIBBPF_API int btf_ext__set_endianness(struct btf_ext *btf_ext, enum btf_endianness endian);

/* Nothing, for later additions to begin with. */
LIBBPF_API struct btf *btf__new_empty(void);

/* The same that continues other types. */
LIBBPF_API struct btf *btf__new_empty_split(struct btf *base_btf);

/* The offset of a text: -ENOENT if it is not there. */
LIBBPF_API int btf__find_str(struct btf *btf, const char *s);

/* The offset of a text, which is added if it is not there. */
LIBBPF_API int btf__add_str(struct btf *btf, const char *s);

/*
 * Adds a copy of a type of another BTF: its names are taken along, the ids that it refers to stay what they are. Like all that follow, it
 * returns the new id.
 */
LIBBPF_API int btf__add_type(struct btf *btf, const struct btf *src_btf, const struct btf_type *src_type);

/* Adds copies of all types of another BTF, which refer to each other; the id of the first. All or none. */
LIBBPF_API int btf__add_btf(struct btf *btf, const struct btf *src_btf);

/* Adds an integer: `encoding` is 0 or one of BTF_INT_SIGNED, BTF_INT_CHAR, BTF_INT_BOOL. */
LIBBPF_API int btf__add_int(struct btf *btf, const char *name, size_t byte_sz, int encoding);

/* Adds a floating point number of 2, 4, 8, 12 or 16 bytes. */
LIBBPF_API int btf__add_float(struct btf *btf, const char *name, size_t byte_sz);

/* Adds a pointer. Types may refer to ids that come later. */
LIBBPF_API int btf__add_ptr(struct btf *btf, int ref_type_id);

/* Adds an array. */
LIBBPF_API int btf__add_array(struct btf *btf, int index_type_id, int elem_type_id, __u32 nr_elems);

/* Adds a struct without members. */
LIBBPF_API int btf__add_struct(struct btf *btf, const char *name, __u32 sz);

/* Adds a union without members. */
LIBBPF_API int btf__add_union(struct btf *btf, const char *name, __u32 sz);

/* Adds a member to the struct or union that was added last; 0. */
LIBBPF_API int btf__add_field(struct btf *btf, const char *name, int field_type_id, __u32 bit_offset, __u32 bit_size);

/* Adds an enumeration of 1, 2, 4 or 8 bytes without values, which is a declaration. */
LIBBPF_API int btf__add_enum(struct btf *btf, const char *name, __u32 bytes_sz);

/* Adds a value to the enumeration that was added last; 0. */
LIBBPF_API int btf__add_enum_value(struct btf *btf, const char *name, __s64 value);

/* Adds an enumeration whose values have 64 bits. */
LIBBPF_API int btf__add_enum64(struct btf *btf, const char *name, __u32 bytes_sz, bool is_signed);
/* Adds a value to such a one; 0. */
LIBBPF_API int btf__add_enum64_value(struct btf *btf, const char *name, __u64 value);

enum btf_fwd_kind {
	BTF_FWD_STRUCT = 0,
	BTF_FWD_UNION = 1,
	BTF_FWD_ENUM = 2,
};

/* Adds the declaration of something that is not described. */
LIBBPF_API int btf__add_fwd(struct btf *btf, const char *name, enum btf_fwd_kind fwd_kind);

/* Adds another name of a type. */
LIBBPF_API int btf__add_typedef(struct btf *btf, const char *name, int ref_type_id);

/* Adds a volatile type. */
LIBBPF_API int btf__add_volatile(struct btf *btf, int ref_type_id);
/* Adds a const type. */
LIBBPF_API int btf__add_const(struct btf *btf, int ref_type_id);
/* Adds a restrict type. */
LIBBPF_API int btf__add_restrict(struct btf *btf, int ref_type_id);

/* Adds a type with a tag. */
LIBBPF_API int btf__add_type_tag(struct btf *btf, const char *value, int ref_type_id);
/* The same with an attribute, which is a tag that the compiler knows. */
LIBBPF_API int btf__add_type_attr(struct btf *btf, const char *value, int ref_type_id);

/* Adds a function. */
LIBBPF_API int btf__add_func(struct btf *btf, const char *name, enum btf_func_linkage linkage, int proto_type_id);

/* Adds what functions take and return, without parameters. */
LIBBPF_API int btf__add_func_proto(struct btf *btf, int ret_type_id);

/* Adds a parameter to the prototype that was added last; 0. */
LIBBPF_API int btf__add_func_param(struct btf *btf, const char *name, int type_id);

/* Adds a variable. */
LIBBPF_API int btf__add_var(struct btf *btf, const char *name, int linkage, int type_id);

/* Adds a section of data without variables. */
LIBBPF_API int btf__add_datasec(struct btf *btf, const char *name, __u32 byte_sz);

/* Adds a variable to the section that was added last; 0. */
LIBBPF_API int btf__add_datasec_var_info(struct btf *btf, int var_type_id, __u32 offset, __u32 byte_sz);

/* Adds a tag of a type (-1) or of one of its members or parameters. */
LIBBPF_API int btf__add_decl_tag(struct btf *btf, const char *value, int ref_type_id, int component_idx);
/* The same with an attribute. */
LIBBPF_API int btf__add_decl_attr(struct btf *btf, const char *value, int ref_type_id, int component_idx);

struct btf_dump;

struct btf_dump_opts {
	size_t sz;
};
#define btf_dump_opts__last_field sz

typedef void (*btf_dump_printf_fn_t)(void *ctx, const char *fmt, va_list args);

/* Begins to write types as C, by a function that is called with every piece. No options are known. */
LIBBPF_API struct btf_dump *btf_dump__new(const struct btf *btf, btf_dump_printf_fn_t printf_fn, void *ctx,
					  const struct btf_dump_opts *opts);

/* Ends it. NULL is allowed. */
LIBBPF_API void btf_dump__free(struct btf_dump *d);

/*
 * Writes the definition of a type, and before it those of all that it needs and that were not written yet. Names that are used twice get a
 * number (name___2). Beyond libbpf, types that contain themselves are found out in any case: -ELOOP.
 */
LIBBPF_API int btf_dump__dump_type(struct btf_dump *d, __u32 id);

struct btf_dump_emit_type_decl_opts {
	size_t sz;
	/* The name that is declared. */
	const char *field_name;
	/* Tabs before the lines of members, of what has no name. */
	int indent_level;
	/* Without const, volatile, restrict and tags. */
	bool strip_mods;
	size_t :0;
};
#define btf_dump_emit_type_decl_opts__last_field strip_mods

/* Writes a declaration with a type, such as "int (*name)(void)"; -EINVAL for what is no type of C, such as a variable. */
LIBBPF_API int btf_dump__emit_type_decl(struct btf_dump *d, __u32 id, const struct btf_dump_emit_type_decl_opts *opts);

struct btf_dump_type_data_opts {
	size_t sz;
	/* What lines begin with at each level: a tab if NULL. */
	const char *indent_str;
	int indent_level;
	/* All in one line. */
	bool compact;
	/* Without names of members and types. */
	bool skip_names;
	/* With what is 0, which is left out otherwise. */
	bool emit_zeroes;
	/* Arrays of char with an end as texts. */
	bool emit_strings;
	size_t :0;
};
#define btf_dump_type_data_opts__last_field emit_strings

/*
 * Writes a value, whose size is returned: -E2BIG if there are fewer bytes of it, after what there is of a struct has been written. -EINVAL
 * for numbers of sizes that C for BPF does not have, and for long double. Where libbpf 1.7 leaves out a struct whose first member is 0, or
 * a comma, this does not.
 */
LIBBPF_API int btf_dump__dump_type_data(struct btf_dump *d, __u32 id, const void *data, size_t data_sz,
					 const struct btf_dump_type_data_opts *opts);

/* Kinds that the kernel's header has as an enum, or not at all if it is old. */
#ifndef BTF_KIND_FUNC
#define BTF_KIND_FUNC 12
#define BTF_KIND_FUNC_PROTO 13
#endif
#ifndef BTF_KIND_VAR
#define BTF_KIND_VAR 14
#define BTF_KIND_DATASEC 15
#endif
#ifndef BTF_KIND_FLOAT
#define BTF_KIND_FLOAT 16
#endif
#define BTF_KIND_DECL_TAG 17
#define BTF_KIND_TYPE_TAG 18
#define BTF_KIND_ENUM64 19

static inline __u16 btf_kind(const struct btf_type *t)
{
	return BTF_INFO_KIND(t->info);
}

/* How many members, values, parameters or variables follow. */
static inline __u16 btf_vlen(const struct btf_type *t)
{
	return BTF_INFO_VLEN(t->info);
}

static inline bool btf_kflag(const struct btf_type *t)
{
	return BTF_INFO_KFLAG(t->info);
}

static inline bool btf_is_void(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_UNKN;
}

static inline bool btf_is_int(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_INT;
}

static inline bool btf_is_ptr(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_PTR;
}

static inline bool btf_is_array(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_ARRAY;
}

static inline bool btf_is_struct(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_STRUCT;
}

static inline bool btf_is_union(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_UNION;
}

static inline bool btf_is_composite(const struct btf_type *t)
{
	return btf_is_struct(t) || btf_is_union(t);
}

static inline bool btf_is_enum(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_ENUM;
}

static inline bool btf_is_enum64(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_ENUM64;
}

static inline bool btf_is_any_enum(const struct btf_type *t)
{
	return btf_is_enum(t) || btf_is_enum64(t);
}

static inline bool btf_is_fwd(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_FWD;
}

static inline bool btf_is_typedef(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_TYPEDEF;
}

static inline bool btf_is_volatile(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_VOLATILE;
}

static inline bool btf_is_const(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_CONST;
}

static inline bool btf_is_restrict(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_RESTRICT;
}

static inline bool btf_is_type_tag(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_TYPE_TAG;
}

/* const, volatile, restrict and tags. */
static inline bool btf_is_mod(const struct btf_type *t)
{
	return btf_is_volatile(t) || btf_is_const(t) || btf_is_restrict(t) || btf_is_type_tag(t);
}

static inline bool btf_is_func(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_FUNC;
}

static inline bool btf_is_func_proto(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_FUNC_PROTO;
}

static inline bool btf_is_var(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_VAR;
}

static inline bool btf_is_datasec(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_DATASEC;
}

static inline bool btf_is_float(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_FLOAT;
}

static inline bool btf_is_decl_tag(const struct btf_type *t)
{
	return btf_kind(t) == BTF_KIND_DECL_TAG;
}

/* Whether CO-RE takes two kinds for the same: enumerations of 32 and of 64 bits are. */
static inline bool btf_kind_core_compat(const struct btf_type *t1, const struct btf_type *t2)
{
	return btf_kind(t1) == btf_kind(t2) || (btf_is_any_enum(t1) && btf_is_any_enum(t2));
}

/* Of an integer: BTF_INT_*, where its bits begin, and how many they are. */
static inline __u8 btf_int_encoding(const struct btf_type *t)
{
	return BTF_INT_ENCODING(*(const __u32 *)(t + 1));
}

static inline __u8 btf_int_offset(const struct btf_type *t)
{
	return BTF_INT_OFFSET(*(const __u32 *)(t + 1));
}

static inline __u8 btf_int_bits(const struct btf_type *t)
{
	return BTF_INT_BITS(*(const __u32 *)(t + 1));
}

/* What follows the head of a type of this kind. */
static inline struct btf_array *btf_array(const struct btf_type *t)
{
	return (struct btf_array *)(t + 1);
}

static inline struct btf_enum *btf_enum(const struct btf_type *t)
{
	return (struct btf_enum *)(t + 1);
}

struct btf_enum64;

static inline struct btf_enum64 *btf_enum64(const struct btf_type *t)
{
	return (struct btf_enum64 *)(t + 1);
}

/* By its words, since the kernel's headers have the struct only since 6.0: the name, the low half, the high half. */
static inline __u64 btf_enum64_value(const struct btf_enum64 *e)
{
	const __u32 *words = (const __u32 *)e;

	return words[1] | (__u64)words[2] << 32;
}

static inline struct btf_member *btf_members(const struct btf_type *t)
{
	return (struct btf_member *)(t + 1);
}

/* Bits from the beginning of the struct to a member. */
static inline __u32 btf_member_bit_offset(const struct btf_type *t, __u32 member_idx)
{
	const __u32 offset = btf_members(t)[member_idx].offset;

	return btf_kflag(t) ? BTF_MEMBER_BIT_OFFSET(offset) : offset;
}

/* Bits of a bit field, 0 for other members. */
static inline __u32 btf_member_bitfield_size(const struct btf_type *t, __u32 member_idx)
{
	return btf_kflag(t) ? BTF_MEMBER_BITFIELD_SIZE(btf_members(t)[member_idx].offset) : 0;
}

static inline struct btf_param *btf_params(const struct btf_type *t)
{
	return (struct btf_param *)(t + 1);
}

static inline struct btf_var *btf_var(const struct btf_type *t)
{
	return (struct btf_var *)(t + 1);
}

static inline struct btf_var_secinfo *btf_var_secinfos(const struct btf_type *t)
{
	return (struct btf_var_secinfo *)(t + 1);
}

struct btf_decl_tag;

static inline struct btf_decl_tag *btf_decl_tag(const struct btf_type *t)
{
	return (struct btf_decl_tag *)(t + 1);
}

#ifdef __cplusplus
}
#endif

#endif
