/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What is in the kernel: ids, what is known of a descriptor, pins. */
#ifndef BPF_SYSCALLS_IDS_H
#define BPF_SYSCALLS_IDS_H

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What is known of a program, map or link. `info_len` is the size of the struct, and afterwards how much of it there is. Fields that the host does not tell are 0:
 * of programs the instructions and lines, of which only their numbers and the ids of maps are told. */
LIBBPF_API int bpf_obj_get_info_by_fd(int bpf_fd, void *info, __u32 *info_len);
LIBBPF_API int bpf_prog_get_info_by_fd(int prog_fd, struct bpf_prog_info *info, __u32 *info_len);
LIBBPF_API int bpf_map_get_info_by_fd(int map_fd, struct bpf_map_info *info, __u32 *info_len);
LIBBPF_API int bpf_link_get_info_by_fd(int link_fd, struct bpf_link_info *info, __u32 *info_len);

/* The id after this one; -ENOENT behind the last. Needs the grant `query`. */
LIBBPF_API int bpf_prog_get_next_id(__u32 start_id, __u32 *next_id);
LIBBPF_API int bpf_map_get_next_id(__u32 start_id, __u32 *next_id);
LIBBPF_API int bpf_link_get_next_id(__u32 start_id, __u32 *next_id);
LIBBPF_API int bpf_btf_get_next_id(__u32 start_id, __u32 *next_id);

struct bpf_get_fd_by_id_opts {
	size_t sz;
	/* BPF_F_RDONLY: a map that is only read, which the grant `query` is enough for. */
	__u32 open_flags;
	/* -EOPNOTSUPP unless it is 0. */
	__u32 token_fd;
	size_t : 0;
};
#define bpf_get_fd_by_id_opts__last_field token_fd

/* A descriptor of what has this id. Needs the grant `query`; for a map that can be changed `query-change`. */
LIBBPF_API int bpf_prog_get_fd_by_id(__u32 id);
LIBBPF_API int bpf_map_get_fd_by_id(__u32 id);
LIBBPF_API int bpf_map_get_fd_by_id_opts(__u32 id, const struct bpf_get_fd_by_id_opts *opts);
LIBBPF_API int bpf_link_get_fd_by_id(__u32 id);

struct bpf_obj_pin_opts {
	size_t sz;
	__u32 file_flags;
	int path_fd;
	size_t : 0;
};
#define bpf_obj_pin_opts__last_field path_fd

struct bpf_obj_get_opts {
	size_t sz;
	__u32 file_flags;
	int path_fd;
	size_t : 0;
};
#define bpf_obj_get_opts__last_field path_fd

/* Pins a map, program or link, and opens what is pinned. Needs the grant `pin`. Options have to be 0. */
LIBBPF_API int bpf_obj_pin(int fd, const char *pathname);
LIBBPF_API int bpf_obj_pin_opts(int fd, const char *pathname, const struct bpf_obj_pin_opts *opts);
LIBBPF_API int bpf_obj_get(const char *pathname);
LIBBPF_API int bpf_obj_get_opts(const char *pathname, const struct bpf_obj_get_opts *opts);

/* Has the kernel count runs and time of programs until the descriptor is closed. Needs the grant `statistics`. */
LIBBPF_API int bpf_enable_stats(enum bpf_stats_type type);

#ifdef __cplusplus
}
#endif

#endif
