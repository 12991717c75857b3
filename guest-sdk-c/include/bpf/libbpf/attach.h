/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Attaching programs. */
#ifndef BPF_LIBBPF_ATTACH_H
#define BPF_LIBBPF_ATTACH_H

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

struct bpf_link;
struct bpf_map;
struct bpf_program;

/*
 * All functions here return NULL with errno set when they fail.
 *
 * Files, cgroups and network namespaces are those of the guest: a path has to be in a folder that it was given (--dir), and a descriptor
 * has to come from open() of such a path. Process ids are those of the host; 0 is the process that runs the component, as for getpid().
 */

/*
 * Attaches a program where its section says. When the section says nothing to attach to, errno is EOPNOTSUPP.
 * A section that names a file (uprobe, usdt) needs the grant binary=PATH for it, and an absolute path.
 */
LIBBPF_API struct bpf_link *bpf_program__attach(const struct bpf_program *prog);

struct bpf_perf_event_opts {
	size_t sz;
	/* What the program reads with bpf_get_attach_cookie. */
	__u64 bpf_cookie;
	/* Attach without a link of the kernel: the host uses one where the kernel has them, so true is refused with ENOTSUP. */
	bool force_ioctl_attach;
	/* Leave the event disabled: the host enables it, so true is refused with ENOTSUP. */
	bool dont_enable;
	size_t :0;
};

/* Attaches a program to a perf event that perf_event_open gave. The link owns the event's descriptor from then on, as in libbpf. */
LIBBPF_API struct bpf_link *bpf_program__attach_perf_event(const struct bpf_program *prog, int pfd);

/* The same with options. */
LIBBPF_API struct bpf_link *bpf_program__attach_perf_event_opts(const struct bpf_program *prog, int pfd,
								 const struct bpf_perf_event_opts *opts);

/*
 * How a probe is attached. The host takes the newest way that the kernel has: LEGACY and PERF are refused with ENOTSUP, and LINK where the
 * kernel has no links for probes (before 5.15).
 */
enum probe_attach_mode {
	PROBE_ATTACH_MODE_DEFAULT = 0,
	PROBE_ATTACH_MODE_LEGACY,
	PROBE_ATTACH_MODE_PERF,
	PROBE_ATTACH_MODE_LINK,
};

struct bpf_kprobe_opts {
	size_t sz;
	__u64 bpf_cookie;
	/* Bytes behind the function's start. */
	size_t offset;
	/* Run when the function returns. */
	bool retprobe;
	enum probe_attach_mode attach_mode;
	size_t :0;
};

/* Attaches a program to a function of the kernel. */
LIBBPF_API struct bpf_link *bpf_program__attach_kprobe(const struct bpf_program *prog, bool retprobe, const char *func_name);

/* The same with options. A function is given by its name: NULL, with an address as the offset, is refused with ENOTSUP. */
LIBBPF_API struct bpf_link *bpf_program__attach_kprobe_opts(const struct bpf_program *prog, const char *func_name,
							     const struct bpf_kprobe_opts *opts);

struct bpf_kprobe_multi_opts {
	size_t sz;
	/* Names of functions. */
	const char **syms;
	/* Addresses of functions: refused with ENOTSUP, an address of the kernel is no place for a guest to name. */
	const unsigned long *addrs;
	/* What the program reads with bpf_get_attach_cookie, for each. */
	const __u64 *cookies;
	/* How many there are of each. */
	size_t cnt;
	bool retprobe;
	/* Run when the function is called and, if it returned 0 then, when it returns. */
	bool session;
	/* Fail unless the pattern matches one function. */
	bool unique_match;
	size_t :0;
};

/*
 * Attaches a program to many functions of the kernel at once: those of a pattern with * and ?, or, with NULL as the pattern, those of the
 * options.
 */
LIBBPF_API struct bpf_link *bpf_program__attach_kprobe_multi_opts(const struct bpf_program *prog, const char *pattern,
								   const struct bpf_kprobe_multi_opts *opts);

struct bpf_uprobe_multi_opts {
	size_t sz;
	/* Names of functions; or else */
	const char **syms;
	/* offsets in the file. */
	const unsigned long *offsets;
	/* Where in the file the semaphores are, for each. */
	const unsigned long *ref_ctr_offsets;
	const __u64 *cookies;
	size_t cnt;
	bool retprobe;
	bool session;
	size_t :0;
};

/*
 * Attaches a program to many places of a binary at once: functions of a pattern with * and ?, or, with NULL as the pattern, those of the
 * options. A pid of -1 is for all processes. A path without '/' is looked for as bpf_program__attach_uprobe_opts does.
 */
LIBBPF_API struct bpf_link *bpf_program__attach_uprobe_multi(const struct bpf_program *prog, pid_t pid, const char *binary_path,
							      const char *func_pattern, const struct bpf_uprobe_multi_opts *opts);

struct bpf_ksyscall_opts {
	size_t sz;
	__u64 bpf_cookie;
	bool retprobe;
	size_t :0;
};

/* Attaches a program to a system call by its bare name, such as "openat", whatever the kernel's function for it is called. */
LIBBPF_API struct bpf_link *bpf_program__attach_ksyscall(const struct bpf_program *prog, const char *syscall_name,
							  const struct bpf_ksyscall_opts *opts);

struct bpf_uprobe_opts {
	size_t sz;
	/* Where in the file the semaphore is; 0 for none. */
	size_t ref_ctr_offset;
	__u64 bpf_cookie;
	bool retprobe;
	/* The function; without it the offset says where in the file. NAME@VERSION is one of several versions. */
	const char *func_name;
	enum probe_attach_mode attach_mode;
	size_t :0;
};

/* Attaches a program to a place of a binary that is given by its offset in the file. A pid of -1 is for all processes. */
LIBBPF_API struct bpf_link *bpf_program__attach_uprobe(const struct bpf_program *prog, bool retprobe, pid_t pid,
							const char *binary_path, size_t func_offset);

/*
 * Attaches a program to a place of a binary: a function by its name, and bytes behind its start, or an offset in the file.
 * A path without '/' is looked for in the folders of LD_LIBRARY_PATH and the usual ones for libraries if it has ".so" in it, else in those
 * of PATH: in so far as the guest was given them.
 */
LIBBPF_API struct bpf_link *bpf_program__attach_uprobe_opts(const struct bpf_program *prog, pid_t pid, const char *binary_path,
							     size_t func_offset, const struct bpf_uprobe_opts *opts);

struct bpf_usdt_opts {
	size_t sz;
	/* What the program reads with bpf_usdt_cookie. */
	__u64 usdt_cookie;
	size_t :0;
};

/* Attaches a program to a USDT probe of a binary. A pid of -1 is for all processes; the path is as for bpf_program__attach_uprobe_opts. */
LIBBPF_API struct bpf_link *bpf_program__attach_usdt(const struct bpf_program *prog, pid_t pid, const char *binary_path,
						      const char *usdt_provider, const char *usdt_name, const struct bpf_usdt_opts *opts);

struct bpf_tracepoint_opts {
	size_t sz;
	__u64 bpf_cookie;
};

/* Attaches a program to a static tracepoint, such as "sched", "sched_process_exec". */
LIBBPF_API struct bpf_link *bpf_program__attach_tracepoint(const struct bpf_program *prog, const char *tp_category, const char *tp_name);

/* The same with options. */
LIBBPF_API struct bpf_link *bpf_program__attach_tracepoint_opts(const struct bpf_program *prog, const char *tp_category,
								 const char *tp_name, const struct bpf_tracepoint_opts *opts);

struct bpf_raw_tracepoint_opts {
	size_t sz;
	__u64 cookie;
	size_t :0;
};

/* Attaches a raw_tracepoint program to a tracepoint by its bare name, such as "sched_switch". */
LIBBPF_API struct bpf_link *bpf_program__attach_raw_tracepoint(const struct bpf_program *prog, const char *tp_name);

/* The same with options. */
LIBBPF_API struct bpf_link *bpf_program__attach_raw_tracepoint_opts(const struct bpf_program *prog, const char *tp_name,
								     struct bpf_raw_tracepoint_opts *opts);

struct bpf_trace_opts {
	size_t sz;
	__u64 cookie;
};

/* Attaches a program to the target that it was loaded for: a BTF tracepoint, or the entry, exit or result of a function. */
LIBBPF_API struct bpf_link *bpf_program__attach_trace(const struct bpf_program *prog);

/* The same with options. */
LIBBPF_API struct bpf_link *bpf_program__attach_trace_opts(const struct bpf_program *prog, const struct bpf_trace_opts *opts);

/* Attaches a program to the security hook that it was loaded for. The host needs the grant lsm. */
LIBBPF_API struct bpf_link *bpf_program__attach_lsm(const struct bpf_program *prog);

/* Attaches a program to a cgroup: the descriptor of an opened folder of the cgroup file system. The host needs the grant cgroup=PATH. */
LIBBPF_API struct bpf_link *bpf_program__attach_cgroup(const struct bpf_program *prog, int cgroup_fd);

/* Attaches a program to a network namespace: the descriptor of an opened file such as /run/netns/NAME. The host needs the grant netns. */
LIBBPF_API struct bpf_link *bpf_program__attach_netns(const struct bpf_program *prog, int netns_fd);

/* Attaches a program to a sockmap or sockhash, by the map's descriptor. The host needs the grant sockmap. */
LIBBPF_API struct bpf_link *bpf_program__attach_sockmap(const struct bpf_program *prog, int map_fd);

/* Attaches an XDP program to a network interface, by its index. The host needs the grant xdp=INTERFACE. */
LIBBPF_API struct bpf_link *bpf_program__attach_xdp(const struct bpf_program *prog, int ifindex);

/*
 * Attaches a program in place of a function of another program, by that program's descriptor. With 0 and NULL: in place of the one that
 * it was loaded for.
 */
LIBBPF_API struct bpf_link *bpf_program__attach_freplace(const struct bpf_program *prog, int target_fd, const char *attach_func_name);

struct bpf_netfilter_opts {
	size_t sz;
	/* NFPROTO_IPV4 or NFPROTO_IPV6. */
	__u32 pf;
	/* NF_INET_*. */
	__u32 hooknum;
	/* The lowest comes first. */
	__s32 priority;
	/* BPF_F_NETFILTER_IP_DEFRAG. */
	__u32 flags;
};

/* Attaches a program to a hook of netfilter. The host needs the grant netfilter. */
LIBBPF_API struct bpf_link *bpf_program__attach_netfilter(const struct bpf_program *prog, const struct bpf_netfilter_opts *opts);

/*
 * Where among the programs of a hook: BPF_F_BEFORE or BPF_F_AFTER in the flags; relative_fd is a link's with BPF_F_LINK, else a program's;
 * relative_id is a program's id with BPF_F_ID. The id of a link is refused with ENOTSUP.
 */
struct bpf_tcx_opts {
	size_t sz;
	__u32 flags;
	__u32 relative_fd;
	__u32 relative_id;
	__u64 expected_revision;
	size_t :0;
};

/* Attaches a program of traffic control to a network interface. The host needs the grant tc=INTERFACE. */
LIBBPF_API struct bpf_link *bpf_program__attach_tcx(const struct bpf_program *prog, int ifindex, const struct bpf_tcx_opts *opts);

struct bpf_netkit_opts {
	size_t sz;
	__u32 flags;
	__u32 relative_fd;
	__u32 relative_id;
	__u64 expected_revision;
	size_t :0;
};

/* Attaches a program to a netkit pair, by the index of its primary end. The host needs the grant tc=INTERFACE. */
LIBBPF_API struct bpf_link *bpf_program__attach_netkit(const struct bpf_program *prog, int ifindex, const struct bpf_netkit_opts *opts);

struct bpf_cgroup_opts {
	size_t sz;
	__u32 flags;
	__u32 relative_fd;
	__u32 relative_id;
	__u64 expected_revision;
	size_t :0;
};

/* As bpf_program__attach_cgroup, at a place among the programs of the cgroup. */
LIBBPF_API struct bpf_link *bpf_program__attach_cgroup_opts(const struct bpf_program *prog, int cgroup_fd,
							     const struct bpf_cgroup_opts *opts);

/* Registers the operations in a struct_ops map. The host needs the grant struct-ops. */
LIBBPF_API struct bpf_link *bpf_map__attach_struct_ops(const struct bpf_map *map);

struct bpf_iter_attach_opts {
	size_t sz;
	/*
	 * What to go through: a map or a cgroup by its descriptor, a task by its id or a pidfd. An id of a cgroup is refused with
	 * ENOTSUP.
	 */
	union bpf_iter_link_info *link_info;
	__u32 link_info_len;
};

/* Attaches an iterator. bpf_iter_create with the link's descriptor runs it. */
LIBBPF_API struct bpf_link *bpf_program__attach_iter(const struct bpf_program *prog, const struct bpf_iter_attach_opts *opts);

#ifdef __cplusplus
}
#endif

#endif
