/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Programs and links by descriptor: load, attach, run. */
#ifndef BPF_SYSCALLS_PROGRAMS_H
#define BPF_SYSCALLS_PROGRAMS_H

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bpf_prog_load_opts {
	size_t sz;
	/* The host decides how often it tries. */
	int attempts;
	enum bpf_attach_type expected_attach_type;
	/* With line and function information, which the host does not take: ENOTSUP if it is not 0. */
	__u32 prog_btf_fd;
	__u32 prog_flags;
	/* Programs for hardware are refused with ENOTSUP. */
	__u32 prog_ifindex;
	/* Ignored, as by kernels since 5.0. */
	__u32 kern_version;
	/* A type in the kernel's BTF, of libbpf_find_vmlinux_btf_id. */
	__u32 attach_btf_id;
	/* A program as the target is refused with ENOTSUP: an object with bpf_program__set_attach_target can have one. */
	__u32 attach_prog_fd;
	__u32 attach_btf_obj_fd;
	const int *fd_array;
	const void *func_info;
	__u32 func_info_cnt;
	__u32 func_info_rec_size;
	const void *line_info;
	__u32 line_info_cnt;
	__u32 line_info_rec_size;
	__u32 log_level;
	__u32 log_size;
	/* Has the end of the verifier's log when loading fails; "" when it does not, since the host tells none then. */
	char *log_buf;
	__u32 log_true_size;
	__u32 token_fd;
	__u32 fd_array_cnt;
	size_t :0;
};

/*
 * Loads a program from instructions; its descriptor. Maps are given by their descriptors in BPF_PSEUDO_MAP_FD and BPF_PSEUDO_MAP_VALUE
 * instructions, or by fd_array. Instructions that refer to types, functions of the kernel or callbacks are refused.
 */
LIBBPF_API int bpf_prog_load(enum bpf_prog_type prog_type, const char *prog_name, const char *license, const struct bpf_insn *insns,
			     size_t insn_cnt, struct bpf_prog_load_opts *opts);

/*
 * Attaches a program without a link: to a cgroup, a sockmap or a network namespace. The host ties what is attached to the component: it
 * ends with it. flags are BPF_F_ALLOW_OVERRIDE or BPF_F_ALLOW_MULTI for cgroups.
 */
LIBBPF_API int bpf_prog_attach(int prog_fd, int attachable_fd, enum bpf_attach_type type, unsigned int flags);

/* Detaches what this program attached there; -ENOENT if that is nothing. What others attached stays. */
LIBBPF_API int bpf_prog_detach(int attachable_fd, enum bpf_attach_type type);

/* Detaches this program from there; -ENOENT if it was not attached by bpf_prog_attach or bpf_prog_attach_opts. */
LIBBPF_API int bpf_prog_detach2(int prog_fd, int attachable_fd, enum bpf_attach_type type);

struct bpf_prog_attach_opts {
	size_t sz;
	__u32 flags;
	union {
		int replace_prog_fd;
		int replace_fd;
	};
	int relative_fd;
	__u32 relative_id;
	__u64 expected_revision;
	size_t :0;
};

struct bpf_prog_detach_opts {
	size_t sz;
	__u32 flags;
	int relative_fd;
	__u32 relative_id;
	__u64 expected_revision;
	size_t :0;
};

/* As bpf_prog_attach, with a place among the programs that are there; also to a network interface (tcx, netkit), by its index. */
LIBBPF_API int bpf_prog_attach_opts(int prog_fd, int target, enum bpf_attach_type type, const struct bpf_prog_attach_opts *opts);

/*
 * As bpf_prog_detach2; without a program (0) the one that this program attached there first (BPF_F_BEFORE) or else last.
 * A neighbour (relative_fd, relative_id) is refused with ENOTSUP.
 */
LIBBPF_API int bpf_prog_detach_opts(int prog_fd, int target, enum bpf_attach_type type, const struct bpf_prog_detach_opts *opts);

struct bpf_link_create_opts {
	size_t sz;
	__u32 flags;
	union bpf_iter_link_info *iter_info;
	__u32 iter_info_len;
	__u32 target_btf_id;
	union {
		struct {
			__u64 bpf_cookie;
		} perf_event;
		struct {
			__u32 flags;
			__u32 cnt;
			const char **syms;
			const unsigned long *addrs;
			const __u64 *cookies;
		} kprobe_multi;
		struct {
			__u32 flags;
			__u32 cnt;
			const char *path;
			const unsigned long *offsets;
			const unsigned long *ref_ctr_offsets;
			const __u64 *cookies;
			__u32 pid;
		} uprobe_multi;
		struct {
			__u64 cookie;
		} tracing;
		struct {
			__u32 pf;
			__u32 hooknum;
			__s32 priority;
			__u32 flags;
		} netfilter;
		struct {
			__u32 relative_fd;
			__u32 relative_id;
			__u64 expected_revision;
		} tcx;
		struct {
			__u32 relative_fd;
			__u32 relative_id;
			__u64 expected_revision;
		} netkit;
		struct {
			__u32 relative_fd;
			__u32 relative_id;
			__u64 expected_revision;
		} cgroup;
	};
	size_t :0;
};

/*
 * Attaches a program; the descriptor of the link. What target_fd is depends on the kind: a cgroup, a network namespace, a map, a program,
 * a perf event by its descriptor, a network interface by its index, 0 for what has no target.
 */
LIBBPF_API int bpf_link_create(int prog_fd, int target_fd, enum bpf_attach_type attach_type, const struct bpf_link_create_opts *opts);

/* Detaches a link, which its descriptors keep, attached to nothing. */
LIBBPF_API int bpf_link_detach(int link_fd);

struct bpf_link_update_opts {
	size_t sz;
	/* BPF_F_REPLACE: only if the old program is the one that is attached. */
	__u32 flags;
	__u32 old_prog_fd;
	/* Refused with ENOTSUP if it is not 0. */
	__u32 old_map_fd;
};

/* Puts another program, or for struct_ops another map, in the place of what a link attaches, without a gap. */
LIBBPF_API int bpf_link_update(int link_fd, int new_prog_fd, const struct bpf_link_update_opts *opts);

/* Starts an iterator; a descriptor from which read() gets what it writes. */
LIBBPF_API int bpf_iter_create(int link_fd);

struct bpf_raw_tp_opts {
	size_t sz;
	const char *tp_name;
	__u64 cookie;
	size_t :0;
};

/* Attaches a program to a raw tracepoint, or without a name to what it was loaded for; the descriptor of the link. */
LIBBPF_API int bpf_raw_tracepoint_open(const char *name, int prog_fd);

/* The same with options. */
LIBBPF_API int bpf_raw_tracepoint_open_opts(int prog_fd, struct bpf_raw_tp_opts *opts);

struct bpf_test_run_opts {
	size_t sz;
	const void *data_in;
	void *data_out;
	__u32 data_size_in;
	/* What there is room for; afterwards what there is. Unchanged when the run fails. */
	__u32 data_size_out;
	const void *ctx_in;
	void *ctx_out;
	__u32 ctx_size_in;
	__u32 ctx_size_out;
	__u32 retval;
	int repeat;
	__u32 duration;
	/* BPF_F_TEST_*; reserved batch sizes and CPUs need their flags. */
	__u32 flags;
	__u32 cpu;
	__u32 batch_size;
};

/* Runs a program on data that the caller gives. A syscall program's context is changed in place, as in libbpf. */
LIBBPF_API int bpf_prog_test_run_opts(int prog_fd, struct bpf_test_run_opts *opts);

struct bpf_prog_stream_read_opts {
	size_t sz;
	size_t :0;
};

/* Takes out what a program printed to its own streams (BPF_STREAM_STDOUT, BPF_STREAM_STDERR); how many bytes, 0 if there is nothing now. */
LIBBPF_API int bpf_prog_stream_read(int prog_fd, __u32 stream_id, void *buf, __u32 buf_len, struct bpf_prog_stream_read_opts *opts);

#ifdef __cplusplus
}
#endif

#endif
