/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What the kernel can do, and the machine has. */
#ifndef BPF_LIBBPF_PROBE_H
#define BPF_LIBBPF_PROBE_H

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How many CPUs per-CPU maps have values for; a negative errno if that cannot be told. */
LIBBPF_API int libbpf_num_possible_cpus(void);

/* Whether the kernel has a type of programs: 1 or 0, or a negative errno if that cannot be found out. No options are known. */
LIBBPF_API int libbpf_probe_bpf_prog_type(enum bpf_prog_type prog_type, const void *opts);
/* The same of a type of maps. */
LIBBPF_API int libbpf_probe_bpf_map_type(enum bpf_map_type map_type, const void *opts);
/* Whether programs of this type can call the helper. */
LIBBPF_API int libbpf_probe_bpf_helper(enum bpf_prog_type prog_type, enum bpf_func_id helper_id, const void *opts);

/* The type of programs, and of their attachments, whose section has this name; -ESRCH if there is none. */
LIBBPF_API int libbpf_prog_type_by_name(const char *name, enum bpf_prog_type *prog_type,
					enum bpf_attach_type *expected_attach_type);
/* The kind of attachment of a section of this name; -EINVAL if there is none. */
LIBBPF_API int libbpf_attach_type_by_name(const char *name, enum bpf_attach_type *attach_type);

/*
 * The id, in the kernel's types, of what a program of this attach type is for: a function, a tracepoint, an iterator's target, an LSM
 * hook. -ENOENT if there is none.
 */
LIBBPF_API int libbpf_find_vmlinux_btf_id(const char *name, enum bpf_attach_type attach_type);

/* What the kernel calls a type of maps, without BPF_MAP_TYPE_ ("hash"); NULL for one that this library does not know. */
LIBBPF_API const char *libbpf_bpf_map_type_str(enum bpf_map_type t);
/* The same of types of programs. */
LIBBPF_API const char *libbpf_bpf_prog_type_str(enum bpf_prog_type t);
/* The same of kinds of links. */
LIBBPF_API const char *libbpf_bpf_link_type_str(enum bpf_link_type t);
/* The same of what programs are attached as. */
LIBBPF_API const char *libbpf_bpf_attach_type_str(enum bpf_attach_type t);

#ifdef __cplusplus
}
#endif

#endif
