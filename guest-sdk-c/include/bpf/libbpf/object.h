/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Objects, and the skeletons that are made of them. */
#ifndef BPF_LIBBPF_OBJECT_H
#define BPF_LIBBPF_OBJECT_H

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bpf_object;
struct bpf_program;
struct bpf_map;
struct bpf_link;
struct btf;

struct bpf_object_open_opts {
	size_t sz;
	const char *object_name;     /* else the file's name up to its first dot, or "ADDRESS-SIZE" of the memory; the kernel has 15 bytes of it */
	bool relaxed_maps;           /* accepted; map definitions are read strictly all the same */
	const char *pin_root_path;   /* the folder of maps that are pinned by name: /sys/fs/bpf if NULL */
	__u32 :32;
	const char *kconfig;         /* not supported */
	const char *btf_custom_path; /* not supported: the host has the kernel's types */
	char *kernel_log_buf;        /* the verifier's log of each program that has no buffer of its own; the last one stays */
	size_t kernel_log_size;
	__u32 kernel_log_level;
	const char *bpf_token_path;  /* not supported, but the empty string, which asks for none */
	size_t :0;
};
#define bpf_object_open_opts__last_field bpf_token_path

/* Opens an object file, whose path has to be in a folder that the guest was given (--dir). */
LIBBPF_API struct bpf_object *bpf_object__open(const char *path);

/* The same, with options. */
LIBBPF_API struct bpf_object *bpf_object__open_file(const char *path, const struct bpf_object_open_opts *opts);

/* Opens an object that is in memory. The memory may be given back at once. */
LIBBPF_API struct bpf_object *bpf_object__open_mem(const void *obj_buf, size_t obj_buf_sz, const struct bpf_object_open_opts *opts);

/*
 * Brings an object into the kernel: its maps, then its programs. After a failure nothing of it is in the kernel, and all that can be done
 * with the object is to close it.
 */
LIBBPF_API int bpf_object__load(struct bpf_object *obj);

/* Frees an object, its maps, its programs and their descriptors. Links stay. NULL is allowed. */
LIBBPF_API void bpf_object__close(struct bpf_object *obj);

/* Pins all maps: each at its own pin path, or as files of a folder if one is given. */
LIBBPF_API int bpf_object__pin_maps(struct bpf_object *obj, const char *path);

/* Removes those pins again. */
LIBBPF_API int bpf_object__unpin_maps(struct bpf_object *obj, const char *path);

/* Pins all programs, as files of a folder. */
LIBBPF_API int bpf_object__pin_programs(struct bpf_object *obj, const char *path);

/* Removes those pins again. */
LIBBPF_API int bpf_object__unpin_programs(struct bpf_object *obj, const char *path);

/* Pins maps and programs, as files of a folder; all or none. */
LIBBPF_API int bpf_object__pin(struct bpf_object *object, const char *path);

/* Removes those pins again. */
LIBBPF_API int bpf_object__unpin(struct bpf_object *object, const char *path);

/* The object's name. */
LIBBPF_API const char *bpf_object__name(const struct bpf_object *obj);

/* What its section `version` says, or what was set: kernels have not asked for it since 5.0. */
LIBBPF_API unsigned int bpf_object__kversion(const struct bpf_object *obj);

/* Sets what bpf_object__kversion returns; -EINVAL after load. The host tells kernels before 5.0 the version that they have. */
LIBBPF_API int bpf_object__set_kversion(struct bpf_object *obj, __u32 kern_version);

/* -1: guests have no BPF tokens. */
LIBBPF_API int bpf_object__token_fd(const struct bpf_object *obj);

/* The object's types; NULL if it has none. They belong to the object. */
LIBBPF_API struct btf *bpf_object__btf(const struct bpf_object *obj);

/* A descriptor of its types in the kernel, or -1: the host keeps the one that it loads. */
LIBBPF_API int bpf_object__btf_fd(const struct bpf_object *obj);

/* The program of a function's name; NULL and ENOENT if there is none. */
LIBBPF_API struct bpf_program *bpf_object__find_program_by_name(const struct bpf_object *obj, const char *name);

/* The program after the given one; the first for NULL; NULL after the last. */
LIBBPF_API struct bpf_program *bpf_object__next_program(const struct bpf_object *obj, struct bpf_program *prog);

/* The program before the given one; the last for NULL. */
LIBBPF_API struct bpf_program *bpf_object__prev_program(const struct bpf_object *obj, struct bpf_program *prog);

#define bpf_object__for_each_program(pos, obj) \
	for ((pos) = bpf_object__next_program((obj), NULL); (pos) != NULL; (pos) = bpf_object__next_program((obj), (pos)))

/* The map of a name; global data by the long name (`minimal.bss`) or the section (`.bss`). NULL and ENOENT if there is none. */
LIBBPF_API struct bpf_map *bpf_object__find_map_by_name(const struct bpf_object *obj, const char *name);

/* The descriptor of that map: -EINVAL if there is none, -1 before load. */
LIBBPF_API int bpf_object__find_map_fd_by_name(const struct bpf_object *obj, const char *name);

/* The map after the given one; the first for NULL; NULL after the last. */
LIBBPF_API struct bpf_map *bpf_object__next_map(const struct bpf_object *obj, const struct bpf_map *map);

/* The map before the given one; the last for NULL. */
LIBBPF_API struct bpf_map *bpf_object__prev_map(const struct bpf_object *obj, const struct bpf_map *map);

#define bpf_object__for_each_map(pos, obj) \
	for ((pos) = bpf_object__next_map((obj), NULL); (pos) != NULL; (pos) = bpf_object__next_map((obj), (pos)))
#define bpf_map__for_each bpf_object__for_each_map

/* What the kernel's configuration has for an option: skeletons have it of `__kconfig` variables. */
enum libbpf_tristate {
	TRI_NO = 0,
	TRI_YES = 1,
	TRI_MODULE = 2,
};

struct bpf_map_skeleton {
	const char *name;
	struct bpf_map **map;
	void **mmaped;
	struct bpf_link **link; /* struct_ops; skeletons of bpftool before 7.5 do not have it */
};

struct bpf_prog_skeleton {
	const char *name;
	struct bpf_program **prog;
	struct bpf_link **link;
};

struct bpf_object_skeleton {
	size_t sz;
	const char *name;
	const void *data;
	size_t data_sz;
	struct bpf_object **obj;
	int map_cnt;
	int map_skel_sz; /* of an element of maps, as the skeleton's maker knew it */
	struct bpf_map_skeleton *maps;
	int prog_cnt;
	int prog_skel_sz;
	struct bpf_prog_skeleton *progs;
};

/* Opens the object of a skeleton and sets the skeleton's pointers to maps, programs and global variables. */
LIBBPF_API int bpf_object__open_skeleton(struct bpf_object_skeleton *s, const struct bpf_object_open_opts *opts);

/*
 * Loads it. The variables stay where they are: what the program writes to them reaches the kernel with the next call of the library, and
 * what BPF programs wrote is there after it. Constants (.rodata) cannot be changed any more: what is written to them is lost.
 */
LIBBPF_API int bpf_object__load_skeleton(struct bpf_object_skeleton *s);

/* Attaches all programs that say where in their section, and all struct_ops maps, but those for which that was turned off. */
LIBBPF_API int bpf_object__attach_skeleton(struct bpf_object_skeleton *s);

/* Destroys those links. */
LIBBPF_API void bpf_object__detach_skeleton(struct bpf_object_skeleton *s);

/* Detaches, closes the object and frees the skeleton. NULL is allowed. */
LIBBPF_API void bpf_object__destroy_skeleton(struct bpf_object_skeleton *s);

struct bpf_var_skeleton {
	const char *name;
	struct bpf_map **map;
	void **addr;
};

struct bpf_object_subskeleton {
	size_t sz;
	const struct bpf_object *obj;
	int map_cnt;
	int map_skel_sz;
	struct bpf_map_skeleton *maps;
	int prog_cnt;
	int prog_skel_sz;
	struct bpf_prog_skeleton *progs;
	int var_cnt;
	int var_skel_sz;
	struct bpf_var_skeleton *vars;
};

/* Sets the pointers of a skeleton of a part (`bpftool gen subskeleton`) of an object that is open. */
LIBBPF_API int bpf_object__open_subskeleton(struct bpf_object_subskeleton *s);

/* Frees it; the object stays. */
LIBBPF_API void bpf_object__destroy_subskeleton(struct bpf_object_subskeleton *s);

#ifdef __cplusplus
}
#endif

#endif
