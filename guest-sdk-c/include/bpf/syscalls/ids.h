/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What is in the kernel: ids, what is known of a descriptor, pins. */
#ifndef BPF_SYSCALLS_IDS_H
#define BPF_SYSCALLS_IDS_H

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What is known of a program, map, link, or of types in the kernel. `info_len` is the size of the struct, and afterwards how much of it
 * there is. Fields that the host does not tell are 0: of programs instructions, lines and functions, of which only the numbers of
 * instructions are told; of maps their types.
 */
LIBBPF_API int bpf_obj_get_info_by_fd(int bpf_fd, void *info, __u32 *info_len);

/* The same of a program. */
LIBBPF_API int bpf_prog_get_info_by_fd(int prog_fd, struct bpf_prog_info *info, __u32 *info_len);

/* The same of a map. */
LIBBPF_API int bpf_map_get_info_by_fd(int map_fd, struct bpf_map_info *info, __u32 *info_len);

/* The same of a link. -EINVAL where the kernel has none, as for probes before 5.15. */
LIBBPF_API int bpf_link_get_info_by_fd(int link_fd, struct bpf_link_info *info, __u32 *info_len);

/* The same of types. */
LIBBPF_API int bpf_btf_get_info_by_fd(int btf_fd, struct bpf_btf_info *info, __u32 *info_len);

/* The id of a program after this one; -ENOENT behind the last. Needs the grant `query`, as all that follow. */
LIBBPF_API int bpf_prog_get_next_id(__u32 start_id, __u32 *next_id);

/* The same of maps. */
LIBBPF_API int bpf_map_get_next_id(__u32 start_id, __u32 *next_id);

/* The same of links. */
LIBBPF_API int bpf_link_get_next_id(__u32 start_id, __u32 *next_id);

/* The same of types. */
LIBBPF_API int bpf_btf_get_next_id(__u32 start_id, __u32 *next_id);

struct bpf_get_fd_by_id_opts {
	size_t sz;
	/* For maps BPF_F_RDONLY: one that is only read, for which the grant `query` is enough. */
	__u32 open_flags;
	/* -EOPNOTSUPP unless it is 0. */
	__u32 token_fd;
	size_t : 0;
};
#define bpf_get_fd_by_id_opts__last_field token_fd

/* A descriptor of the program of this id. Needs the grant `query-change`. */
LIBBPF_API int bpf_prog_get_fd_by_id(__u32 id);

/* The same, with options. */
LIBBPF_API int bpf_prog_get_fd_by_id_opts(__u32 id, const struct bpf_get_fd_by_id_opts *opts);

/* A descriptor of the map of this id. Needs the grant `query-change`. */
LIBBPF_API int bpf_map_get_fd_by_id(__u32 id);

/* The same, with options. */
LIBBPF_API int bpf_map_get_fd_by_id_opts(__u32 id, const struct bpf_get_fd_by_id_opts *opts);

/* A descriptor of the link of this id. Needs the grant `query-change`. */
LIBBPF_API int bpf_link_get_fd_by_id(__u32 id);

/* The same, with options. */
LIBBPF_API int bpf_link_get_fd_by_id_opts(__u32 id, const struct bpf_get_fd_by_id_opts *opts);

/* A descriptor of the types of this id. */
LIBBPF_API int bpf_btf_get_fd_by_id(__u32 id);

/* The same, with options. */
LIBBPF_API int bpf_btf_get_fd_by_id_opts(__u32 id, const struct bpf_get_fd_by_id_opts *opts);

struct bpf_prog_query_opts {
	size_t sz;
	/* BPF_F_QUERY_EFFECTIVE: of a cgroup also what runs for it and is attached above. */
	__u32 query_flags;
	/* BPF_F_ALLOW_* of the cgroup's programs. */
	__u32 attach_flags;
	__u32 *prog_ids;
	union {
		/* What there is room for; afterwards how many there are. */
		__u32 prog_cnt;
		__u32 count;
	};
	/* For each program its flags, its link, and the link's flags, if there is an array for them; 0 where the kernel does not say. */
	__u32 *prog_attach_flags;
	__u32 *link_ids;
	__u32 *link_attach_flags;
	/* 0: the host does not tell. */
	__u64 revision;
	size_t : 0;
};
#define bpf_prog_query_opts__last_field revision

/*
 * The programs that are attached to a cgroup or a network namespace (their descriptor), or with tcx or netkit to a network interface (its
 * index). -ENOSPC if there is no room for all; the first ones are given then. Sockets in maps and infrared receivers are not asked:
 * -ENOTSUP.
 */
LIBBPF_API int bpf_prog_query_opts(int target, enum bpf_attach_type type, struct bpf_prog_query_opts *opts);

/* The same, with the most used of the options. */
LIBBPF_API int bpf_prog_query(int target_fd, enum bpf_attach_type type, __u32 query_flags, __u32 *attach_flags, __u32 *prog_ids,
			      __u32 *prog_cnt);

/*
 * What a perf event or raw tracepoint, a descriptor that another process has open, is attached to. `buf_len` is the room for the name and
 * afterwards its length; -ENOSPC if it was cut. A descriptor of the guest's own is nothing that a process has.
 */
LIBBPF_API int bpf_task_fd_query(int pid, int fd, __u32 flags, char *buf, __u32 *buf_len, __u32 *prog_id, __u32 *fd_type,
				 __u64 *probe_offset, __u64 *probe_addr);

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

/* Pins a map, program or link at a path of a BPF file system, such as /sys/fs/bpf/name. Needs the grant `pin`. */
LIBBPF_API int bpf_obj_pin(int fd, const char *pathname);

/* The same, with options, which have to be 0. */
LIBBPF_API int bpf_obj_pin_opts(int fd, const char *pathname, const struct bpf_obj_pin_opts *opts);

/* A descriptor of what is pinned at a path. Needs the grant `pin`. */
LIBBPF_API int bpf_obj_get(const char *pathname);

/* The same, with options, which have to be 0. */
LIBBPF_API int bpf_obj_get_opts(const char *pathname, const struct bpf_obj_get_opts *opts);

/* Has the kernel count runs and time of programs until the descriptor is closed. Needs the grant `statistics`. */
LIBBPF_API int bpf_enable_stats(enum bpf_stats_type type);

#ifdef __cplusplus
}
#endif

#endif
