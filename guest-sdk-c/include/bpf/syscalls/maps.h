/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Maps by descriptor. */
#ifndef BPF_SYSCALLS_MAPS_H
#define BPF_SYSCALLS_MAPS_H

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bpf_map_create_opts {
	size_t sz;
	/* Types of keys and values are for maps of objects: ignored, as by kernels that know none, but where the kind of map needs them. */
	__u32 btf_fd;
	__u32 btf_key_type_id;
	__u32 btf_value_type_id;
	__u32 btf_vmlinux_value_type_id;
	__u32 inner_map_fd;
	__u32 map_flags;
	__u64 map_extra;
	__u32 numa_node;
	__u32 map_ifindex;
	__s32 value_type_btf_obj_fd;
	__u32 token_fd;
	const void *excl_prog_hash;
	__u32 excl_prog_hash_size;
	size_t :0;
};
#define bpf_map_create_opts__last_field excl_prog_hash_size

/* Makes a map: its descriptor, or a negative errno. -EOPNOTSUPP for what only the map of an object can have. */
LIBBPF_API int bpf_map_create(enum bpf_map_type map_type, const char *map_name, __u32 key_size, __u32 value_size, __u32 max_entries,
			      const struct bpf_map_create_opts *opts);

/*
 * Creates or replaces the value of a key. Where the kernel wants a descriptor as the value (maps of programs, maps, perf events, sockets,
 * cgroups), it is one of this library, or a cgroup's folder that was opened; a storage's key likewise.
 */
LIBBPF_API int bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags);

/* The value of a key. */
LIBBPF_API int bpf_map_lookup_elem(int fd, const void *key, void *value);

/* The same, with BPF_F_LOCK or BPF_F_CPU. */
LIBBPF_API int bpf_map_lookup_elem_flags(int fd, const void *key, void *value, __u64 flags);

/* Takes the value of a key and deletes the key; of queues and stacks (without a key) the next value. */
LIBBPF_API int bpf_map_lookup_and_delete_elem(int fd, const void *key, void *value);

/* The same, with BPF_F_LOCK. */
LIBBPF_API int bpf_map_lookup_and_delete_elem_flags(int fd, const void *key, void *value, __u64 flags);

/* Deletes a key; -ENOENT if it is not there. */
LIBBPF_API int bpf_map_delete_elem(int fd, const void *key);

/* The same; other flags than 0 are -EINVAL. */
LIBBPF_API int bpf_map_delete_elem_flags(int fd, const void *key, __u64 flags);

/* The key after the given one, or the first for NULL; -ENOENT at the end. */
LIBBPF_API int bpf_map_get_next_key(int fd, const void *key, void *next_key);

/* Takes from user space the right to change a map, for good. */
LIBBPF_API int bpf_map_freeze(int fd);

struct bpf_map_batch_opts {
	size_t sz;
	__u64 elem_flags;
	__u64 flags;
};
#define bpf_map_batch_opts__last_field flags

/* Deletes many keys; `count` tells how many were deleted. Ends at the first that is not there, with -ENOENT. */
LIBBPF_API int bpf_map_delete_batch(int fd, const void *keys, __u32 *count, const struct bpf_map_batch_opts *opts);

/*
 * The next entries of a map. What `out_batch` gets (4 bytes of hash maps, a key of others) is given as `in_batch` to the next call; NULL
 * begins. `count` tells how many there were; -ENOENT at the end, with those that were left. Unlike with the kernel's batches, no call is
 * -ENOSPC because a bucket of a hash map is larger than `count`.
 */
LIBBPF_API int bpf_map_lookup_batch(int fd, void *in_batch, void *out_batch, void *keys, void *values, __u32 *count,
				    const struct bpf_map_batch_opts *opts);

/* The same, and deletes what it returns. */
LIBBPF_API int bpf_map_lookup_and_delete_batch(int fd, void *in_batch, void *out_batch, void *keys, void *values, __u32 *count,
					       const struct bpf_map_batch_opts *opts);

/* Creates or replaces the values of many keys; `count` tells how many were stored. */
LIBBPF_API int bpf_map_update_batch(int fd, const void *keys, const void *values, __u32 *count, const struct bpf_map_batch_opts *opts);

#ifdef __cplusplus
}
#endif

#endif
