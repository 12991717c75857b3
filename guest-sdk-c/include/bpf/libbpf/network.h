/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* XDP and traffic control without links. */
#ifndef BPF_LIBBPF_NETWORK_H
#define BPF_LIBBPF_NETWORK_H

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What is attached here has no link in libbpf's API, and outlives a native program. The host ties it to the component: it ends with the
 * component, whichever way that ends. The functions that detach know what this program attached, and not what others did.
 */

struct bpf_xdp_attach_opts {
	size_t sz;
	/* With XDP_FLAGS_REPLACE: fail with EEXIST unless this program is attached. */
	int old_prog_fd;
	size_t :0;
};

struct bpf_xdp_query_opts {
	size_t sz;
	__u32 prog_id;
	__u32 drv_prog_id;
	__u32 hw_prog_id;
	__u32 skb_prog_id;
	/* XDP_ATTACHED_*. */
	__u8 attach_mode;
	/* What the driver can do is not told by the host: both stay 0. */
	__u64 feature_flags;
	__u32 xdp_zc_max_segs;
	size_t :0;
};

/*
 * Attaches an XDP program to a network interface, or puts it in the place of the one that this program attached there; -1 detaches.
 * The program of somebody else stays: errno is EBUSY. The host needs the grant xdp=INTERFACE.
 */
LIBBPF_API int bpf_xdp_attach(int ifindex, int prog_fd, __u32 flags, const struct bpf_xdp_attach_opts *opts);

/*
 * Detaches what this program attached; 0 also if that is nothing, as in libbpf. EBUSY if somebody else's program is there and the host
 * tells.
 */
LIBBPF_API int bpf_xdp_detach(int ifindex, __u32 flags, const struct bpf_xdp_attach_opts *opts);

/* The ids of the XDP programs of a network interface. The host needs the grant query. */
LIBBPF_API int bpf_xdp_query(int ifindex, int flags, struct bpf_xdp_query_opts *opts);

/* The id of the XDP program of a network interface, 0 for none. The host needs the grant query, unless this program attached it. */
LIBBPF_API int bpf_xdp_query_id(int ifindex, int flags, __u32 *prog_id);

enum bpf_tc_attach_point {
	BPF_TC_INGRESS = 1 << 0,
	BPF_TC_EGRESS = 1 << 1,
	BPF_TC_CUSTOM = 1 << 2,
	BPF_TC_QDISC = 1 << 3,
};

#define BPF_TC_PARENT(a, b) ((((a) << 16) & 0xFFFF0000U) | ((b) & 0x0000FFFFU))

enum bpf_tc_flags {
	BPF_TC_F_REPLACE = 1 << 0,
};

struct bpf_tc_hook {
	size_t sz;
	int ifindex;
	enum bpf_tc_attach_point attach_point;
	/* With BPF_TC_CUSTOM: the two sides of clsact; others are refused with EOPNOTSUPP. */
	__u32 parent;
	/* Of BPF_TC_QDISC, which is refused with EOPNOTSUPP. */
	__u32 handle;
	const char *qdisc;
	size_t :0;
};

struct bpf_tc_opts {
	size_t sz;
	int prog_fd;
	__u32 flags;
	__u32 prog_id;
	__u32 handle;
	__u32 priority;
	size_t :0;
};

/*
 * Makes sure that there is such a hook. The host makes the qdisc clsact when something is attached, and takes it away again, so this
 * checks its arguments and makes nothing; -EEXIST when this program made the hook already.
 */
LIBBPF_API int bpf_tc_hook_create(struct bpf_tc_hook *hook);

/*
 * Detaches all that this program attached to the hook; to both sides if both are named, as destroying clsact does. Filters of others
 * stay.
 */
LIBBPF_API int bpf_tc_hook_destroy(struct bpf_tc_hook *hook);

/*
 * Attaches a program as a filter. Its handle and priority, as the kernel chose them where they were 0, and the program's id are in the
 * options afterwards. BPF_TC_F_REPLACE replaces what this program attached. The host needs the grant tc=INTERFACE.
 */
LIBBPF_API int bpf_tc_attach(const struct bpf_tc_hook *hook, struct bpf_tc_opts *opts);

/* Detaches the filter with this handle and priority; -ENOENT if this program attached none such. */
LIBBPF_API int bpf_tc_detach(const struct bpf_tc_hook *hook, const struct bpf_tc_opts *opts);

/* The id of the program in the filter with this handle and priority. The host needs the grant query, unless this program attached it. */
LIBBPF_API int bpf_tc_query(const struct bpf_tc_hook *hook, struct bpf_tc_opts *opts);

#ifdef __cplusplus
}
#endif

#endif
