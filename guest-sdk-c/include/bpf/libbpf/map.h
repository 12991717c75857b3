/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Maps of an object. */
#ifndef BPF_LIBBPF_MAP_H
#define BPF_LIBBPF_MAP_H

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bpf_map;

/* The name in the BPF source; of global data the object's name and the section's (`minimal.bss`), cut to what kernels take. */
LIBBPF_API const char *bpf_map__name(const struct bpf_map *map);

/* The map's descriptor: -1 before load, and of maps that were not created. */
LIBBPF_API int bpf_map__fd(const struct bpf_map *map);

/* Has the load use a map that exists in place of the declared one, which takes over its type and sizes, but keeps its own name. */
LIBBPF_API int bpf_map__reuse_fd(struct bpf_map *map, int fd);

/* The kind of map. */
LIBBPF_API enum bpf_map_type bpf_map__type(const struct bpf_map *map);

/* Sets the kind of map; -EBUSY after load. */
LIBBPF_API int bpf_map__set_type(struct bpf_map *map, enum bpf_map_type type);

/* Bytes of a key. */
LIBBPF_API __u32 bpf_map__key_size(const struct bpf_map *map);

/* Sets the bytes of a key; -EBUSY after load. */
LIBBPF_API int bpf_map__set_key_size(struct bpf_map *map, __u32 size);

/* Bytes of a value. */
LIBBPF_API __u32 bpf_map__value_size(const struct bpf_map *map);

/* Sets the bytes of a value; -EBUSY after load. Of global data it cannot be changed (-EOPNOTSUPP). */
LIBBPF_API int bpf_map__set_value_size(struct bpf_map *map, __u32 size);

/* Entries at most; bytes of a ring buffer. */
LIBBPF_API __u32 bpf_map__max_entries(const struct bpf_map *map);

/* Sets how many entries there are at most; -EBUSY after load. */
LIBBPF_API int bpf_map__set_max_entries(struct bpf_map *map, __u32 max_entries);

/* BPF_F_* for the map's creation. */
LIBBPF_API __u32 bpf_map__map_flags(const struct bpf_map *map);

/* Sets those; -EBUSY after load. */
LIBBPF_API int bpf_map__set_map_flags(struct bpf_map *map, __u32 flags);

/* The NUMA node that the map's memory is to be of. */
LIBBPF_API __u32 bpf_map__numa_node(const struct bpf_map *map);

/* Sets that, and with it the flag BPF_F_NUMA_NODE, without which kernels take no notice; -EBUSY after load. */
LIBBPF_API int bpf_map__set_numa_node(struct bpf_map *map, __u32 numa_node);

/* What else the kind of map takes. */
LIBBPF_API __u64 bpf_map__map_extra(const struct bpf_map *map);

/* Sets that; -EBUSY after load. */
LIBBPF_API int bpf_map__set_map_extra(struct bpf_map *map, __u64 map_extra);

/* The type of its keys in the object's types; 0 if it is not said. */
LIBBPF_API __u32 bpf_map__btf_key_type_id(const struct bpf_map *map);

/* The type of its values. */
LIBBPF_API __u32 bpf_map__btf_value_type_id(const struct bpf_map *map);

/* 0: maps in the hardware of network interfaces are not offered. */
LIBBPF_API __u32 bpf_map__ifindex(const struct bpf_map *map);

/* -EOPNOTSUPP for other numbers than 0; -EBUSY after load. */
LIBBPF_API int bpf_map__set_ifindex(struct bpf_map *map, __u32 ifindex);

/* Whether the load creates the map. */
LIBBPF_API bool bpf_map__autocreate(const struct bpf_map *map);

/* Sets that; -EBUSY after load. */
LIBBPF_API int bpf_map__set_autocreate(struct bpf_map *map, bool autocreate);

/* Whether bpf_object__attach_skeleton attaches a struct_ops map. */
LIBBPF_API bool bpf_map__autoattach(const struct bpf_map *map);

/* Sets that; -EINVAL for maps of other kinds. */
LIBBPF_API int bpf_map__set_autoattach(struct bpf_map *map, bool autoattach);

/* Sets all initial values of global data: `size` has to be the whole; -EINVAL otherwise, -EBUSY after load. */
LIBBPF_API int bpf_map__set_initial_value(struct bpf_map *map, const void *data, size_t size);

/*
 * The values of global data in memory, which may be changed before load and are the live copy after it; NULL of other maps. Of operations
 * of the kernel (struct_ops) it is what the object declares, without functions: a load is refused (-EOPNOTSUPP) if that was changed.
 */
LIBBPF_API void *bpf_map__initial_value(const struct bpf_map *map, size_t *psize);

/* Whether it is one of global data or of kernel configuration, not declared as a map. */
LIBBPF_API bool bpf_map__is_internal(const struct bpf_map *map);

/* Sets where the load pins the map, or finds it if it is there; NULL for nowhere. */
LIBBPF_API int bpf_map__set_pin_path(struct bpf_map *map, const char *path);

/* That path; NULL if there is none. */
LIBBPF_API const char *bpf_map__pin_path(const struct bpf_map *map);

/* The same, by its name before 0.6. */
LIBBPF_API const char *bpf_map__get_pin_path(const struct bpf_map *map);

/* Whether it is pinned. */
LIBBPF_API bool bpf_map__is_pinned(const struct bpf_map *map);

/* Pins a map at a path, or at its pin path if that is NULL. */
LIBBPF_API int bpf_map__pin(struct bpf_map *map, const char *path);

/* Removes that pin. */
LIBBPF_API int bpf_map__unpin(struct bpf_map *map, const char *path);

/* Says what the maps in a map of maps are made like; -EINVAL if that was said before. The descriptor may be closed after it. */
LIBBPF_API int bpf_map__set_inner_map_fd(struct bpf_map *map, int fd);

/*
 * What the maps in a map of maps are declared to be like, to be changed before load; NULL if nothing is declared, NULL and EINVAL of
 * other maps.
 */
LIBBPF_API struct bpf_map *bpf_map__inner_map(struct bpf_map *map);

/* The value of a key, with sizes that have to be the map's: 0, -ENOENT, -EINVAL, ... */
LIBBPF_API int bpf_map__lookup_elem(const struct bpf_map *map, const void *key, size_t key_sz, void *value, size_t value_sz, __u64 flags);

/* Creates or replaces the value of a key. */
LIBBPF_API int bpf_map__update_elem(const struct bpf_map *map, const void *key, size_t key_sz, const void *value, size_t value_sz,
				    __u64 flags);

/* Deletes a key. */
LIBBPF_API int bpf_map__delete_elem(const struct bpf_map *map, const void *key, size_t key_sz, __u64 flags);

/* Takes the value of a key and deletes the key. */
LIBBPF_API int bpf_map__lookup_and_delete_elem(const struct bpf_map *map, const void *key, size_t key_sz, void *value, size_t value_sz,
					       __u64 flags);

/* The key after the given one, or the first for NULL; -ENOENT at the end. */
LIBBPF_API int bpf_map__get_next_key(const struct bpf_map *map, const void *cur_key, void *next_key, size_t key_sz);

#ifdef __cplusplus
}
#endif

#endif
