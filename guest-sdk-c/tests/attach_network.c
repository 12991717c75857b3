// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// XDP and traffic control: by links, by filters and without links. Each program sees the packets of its interface as long as it is
// attached; what is attached can be asked for, replaced and detached; what belongs to others stays.
// needs: kernel=6.6 netns
#include <arpa/inet.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "attach_network.skel.h"
#include "check.h"

#define TCX_EGRESS 47
#define NETKIT_PRIMARY 54
#define F_BEFORE (1 << 3)
#define F_AFTER (1 << 4)
#define F_ID (1 << 5)
#define F_LINK (1 << 13)

static struct attach_network_bpf *skel;
static int lo, veth0, veth1;

// A packet that leaves through lo, and comes in there.
static void send_packet(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK_IS(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_IS(send(fd, "x", 1, 0), 1);
	close(fd);
	usleep(1000);
}

#define CHECK_SEES(counter) \
	do { \
		__u64 before_ = skel->bss->counter; \
		send_packet(); \
		CHECK(skel->bss->counter > before_); \
	} while (0)

#define CHECK_SEES_NOT(counter) \
	do { \
		__u64 before_ = skel->bss->counter; \
		send_packet(); \
		CHECK_IS(skel->bss->counter, before_); \
	} while (0)

static __u32 id_of(const struct bpf_program *program)
{
	struct bpf_prog_info info = { 0 };
	__u32 length = sizeof(info);

	CHECK_IS(bpf_prog_get_info_by_fd(bpf_program__fd(program), &info, &length), 0);
	return info.id;
}

static __u32 xdp_id(int ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, opts);

	CHECK_IS(bpf_xdp_query(ifindex, 0, &opts), 0);
	return opts.prog_id;
}

static void xdp_links(void)
{
	struct bpf_link *link = bpf_program__attach_xdp(skel->progs.on_xdp, lo), *other;
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	int fd;

	CHECK(link);
	CHECK_SEES(by_xdp);
	CHECK_IS(xdp_id(lo), id_of(skel->progs.on_xdp));
	CHECK_NULL(bpf_program__attach_xdp(skel->progs.on_other_xdp, lo), EBUSY);

	CHECK_IS(bpf_link__update_program(link, skel->progs.on_other_xdp), 0);
	CHECK_SEES(by_other_xdp);
	CHECK_SEES_NOT(by_xdp);
	CHECK_IS(bpf_link__detach(link), 0);
	CHECK_SEES_NOT(by_other_xdp);
	CHECK_IS(xdp_id(lo), 0);
	CHECK_IS(bpf_link__destroy(link), 0);

	// The driver of a veth can, that of lo cannot.
	fd = bpf_link_create(bpf_program__fd(skel->progs.on_xdp), veth1, BPF_XDP, &(struct bpf_link_create_opts){
		.sz = sizeof(struct bpf_link_create_opts), .flags = XDP_FLAGS_DRV_MODE });
	CHECK(fd >= 0);
	CHECK_IS(bpf_xdp_query(veth1, 0, &query), 0);
	CHECK_IS(query.attach_mode, XDP_ATTACHED_DRV);
	CHECK_IS(query.drv_prog_id, id_of(skel->progs.on_xdp));
	CHECK_IS(query.skb_prog_id, 0);
	CHECK_IS(bpf_link_detach(fd), 0);
	CHECK_IS(close(fd), 0);
	CHECK_IS(xdp_id(veth1), 0);
	CHECK(bpf_link_create(bpf_program__fd(skel->progs.on_xdp), lo, BPF_XDP, &(struct bpf_link_create_opts){
		.sz = sizeof(struct bpf_link_create_opts), .flags = XDP_FLAGS_DRV_MODE }) < 0);
	CHECK_ERR(bpf_link_create(bpf_program__fd(skel->progs.on_xdp), lo, BPF_XDP, &(struct bpf_link_create_opts){
		.sz = sizeof(struct bpf_link_create_opts), .flags = XDP_FLAGS_DRV_MODE | XDP_FLAGS_SKB_MODE }), EINVAL);

	CHECK_NULL(bpf_program__attach_xdp(skel->progs.on_xdp, 4711), ENODEV);
	CHECK_NULL(bpf_program__attach_xdp(skel->progs.on_xdp, 0), ENODEV);
	CHECK_NULL(bpf_program__attach_xdp(skel->progs.on_filter, lo), EINVAL);

	// Beside each other on two interfaces.
	link = bpf_program__attach_xdp(skel->progs.on_xdp, veth0);
	other = bpf_program__attach_xdp(skel->progs.on_xdp, veth1);
	CHECK(link && other);
	CHECK_IS(bpf_link__destroy(link), 0);
	CHECK_IS(xdp_id(veth0), 0);
	CHECK_IS(xdp_id(veth1), id_of(skel->progs.on_xdp));
	CHECK_IS(bpf_link__destroy(other), 0);
}

static void xdp_without_links(void)
{
	int first = bpf_program__fd(skel->progs.on_xdp), second = bpf_program__fd(skel->progs.on_other_xdp);
	LIBBPF_OPTS(bpf_xdp_attach_opts, opts);
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	struct bpf_link *link;
	__u32 id = 77;

	CHECK_IS(bpf_xdp_query_id(lo, 0, &id), 0);
	CHECK_IS(id, 0);
	CHECK_IS(bpf_xdp_attach(lo, first, XDP_FLAGS_UPDATE_IF_NOEXIST | XDP_FLAGS_SKB_MODE, NULL), 0);
	CHECK_SEES(by_xdp);
	CHECK_IS(bpf_xdp_query_id(lo, XDP_FLAGS_SKB_MODE, &id), 0);
	CHECK_IS(id, id_of(skel->progs.on_xdp));
	CHECK_IS(bpf_xdp_query_id(lo, 0, &id), 0);
	CHECK_IS(id, id_of(skel->progs.on_xdp));
	CHECK_IS(bpf_xdp_query_id(lo, XDP_FLAGS_DRV_MODE, &id), 0);
	CHECK_IS(id, 0);
	CHECK_IS(bpf_xdp_query(lo, 0, &query), 0);
	CHECK_IS(query.attach_mode, XDP_ATTACHED_SKB);
	CHECK_IS(query.skb_prog_id, id_of(skel->progs.on_xdp));
	CHECK_ERR(bpf_xdp_attach(lo, second, XDP_FLAGS_UPDATE_IF_NOEXIST | XDP_FLAGS_SKB_MODE, NULL), EBUSY);
	CHECK_IS(xdp_id(lo), id_of(skel->progs.on_xdp));

	// Another takes its place, if the one that is expected is there.
	opts.old_prog_fd = second;
	CHECK_ERR(bpf_xdp_attach(lo, second, XDP_FLAGS_SKB_MODE, &opts), EEXIST);
	opts.old_prog_fd = first;
	CHECK_IS(bpf_xdp_attach(lo, second, XDP_FLAGS_SKB_MODE, &opts), 0);
	CHECK_SEES(by_other_xdp);
	CHECK_SEES_NOT(by_xdp);
	CHECK_IS(bpf_xdp_query_id(lo, XDP_FLAGS_SKB_MODE, &id), 0);
	CHECK_IS(id, id_of(skel->progs.on_other_xdp));
	CHECK_IS(bpf_xdp_attach(lo, first, XDP_FLAGS_SKB_MODE, NULL), 0);
	CHECK_SEES(by_xdp);
	CHECK_ERR(bpf_xdp_detach(lo, XDP_FLAGS_SKB_MODE, &(struct bpf_xdp_attach_opts){ .sz = sizeof(opts), .old_prog_fd = second }),
		EEXIST);
	CHECK_IS(bpf_xdp_detach(lo, XDP_FLAGS_SKB_MODE, NULL), 0);
	CHECK_SEES_NOT(by_xdp);
	CHECK_IS(xdp_id(lo), 0);
	// Nothing is there: nothing to do.
	CHECK_IS(bpf_xdp_detach(lo, XDP_FLAGS_SKB_MODE, NULL), 0);
	CHECK_IS(bpf_xdp_attach(lo, -1, 0, NULL), 0);

	// What a link holds is not for these functions.
	link = bpf_program__attach_xdp(skel->progs.on_xdp, lo);
	CHECK(link);
	CHECK_ERR(bpf_xdp_attach(lo, second, 0, NULL), EBUSY);
	CHECK_ERR(bpf_xdp_detach(lo, 0, NULL), EBUSY);
	CHECK_IS(xdp_id(lo), id_of(skel->progs.on_xdp));
	CHECK_IS(bpf_link__destroy(link), 0);

	CHECK_ERR(bpf_xdp_attach(lo, first, XDP_FLAGS_SKB_MODE | XDP_FLAGS_DRV_MODE, NULL), EINVAL);
	CHECK_ERR(bpf_xdp_attach(lo, first, 1u << 20, NULL), EINVAL);
	CHECK_ERR(bpf_xdp_attach(4711, first, 0, NULL), ENODEV);
	CHECK_ERR(bpf_xdp_attach(lo, 4711, 0, NULL), EBADF);
	CHECK_ERR(bpf_xdp_detach(4711, 0, NULL), ENODEV);
	CHECK_ERR(bpf_xdp_query(4711, 0, &query), ENODEV);
	CHECK_ERR(bpf_xdp_query_id(lo, 1u << 20, &id), EINVAL);
}

static void filters(void)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = lo, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_hook, both, .ifindex = lo, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = bpf_program__fd(skel->progs.on_filter), .handle = 1, .priority = 1);

	CHECK_ERR(bpf_tc_hook_destroy(&both), ENOENT);
	CHECK_IS(bpf_tc_hook_create(&hook), 0);
	CHECK_ERR(bpf_tc_hook_create(&hook), EEXIST);
	CHECK_IS(bpf_tc_attach(&hook, &opts), 0);
	CHECK_IS(opts.handle, 1);
	CHECK_IS(opts.priority, 1);
	CHECK_IS(opts.prog_id, id_of(skel->progs.on_filter));
	CHECK_SEES(by_filter);

	// The same place is taken.
	opts.prog_id = 0;
	opts.prog_fd = bpf_program__fd(skel->progs.on_other_filter);
	CHECK_ERR(bpf_tc_attach(&hook, &opts), EEXIST);
	opts.flags = BPF_TC_F_REPLACE;
	CHECK_IS(bpf_tc_attach(&hook, &opts), 0);
	CHECK_IS(opts.prog_id, id_of(skel->progs.on_other_filter));
	CHECK_SEES_NOT(by_filter);

	// What cannot take its place leaves it there.
	opts.prog_id = 0;
	opts.prog_fd = bpf_program__fd(skel->progs.on_xdp);
	CHECK_ERR(bpf_tc_attach(&hook, &opts), EINVAL);
	opts.prog_fd = opts.flags = 0;
	CHECK_IS(bpf_tc_query(&hook, &opts), 0);
	CHECK_IS(opts.prog_id, id_of(skel->progs.on_other_filter));
	CHECK_ERR(bpf_tc_detach(&hook, &opts), EINVAL);
	opts.prog_id = 0;
	CHECK_IS(bpf_tc_detach(&hook, &opts), 0);
	CHECK_ERR(bpf_tc_detach(&hook, &opts), ENOENT);
	CHECK_ERR(bpf_tc_query(&hook, &opts), ENOENT);

	// The kernel chooses what is 0; two at once; on the other side, by the parent's number.
	LIBBPF_OPTS(bpf_tc_opts, first, .prog_fd = bpf_program__fd(skel->progs.on_filter));
	LIBBPF_OPTS(bpf_tc_opts, second, .prog_fd = bpf_program__fd(skel->progs.on_filter));
	LIBBPF_OPTS(bpf_tc_hook, custom, .ifindex = lo, .attach_point = BPF_TC_CUSTOM, .parent = BPF_TC_PARENT(0xffff, 0xfff3));
	LIBBPF_OPTS(bpf_tc_hook, egress, .ifindex = lo, .attach_point = BPF_TC_EGRESS);
	CHECK_IS(bpf_tc_attach(&hook, &first), 0);
	CHECK_IS(bpf_tc_attach(&custom, &second), 0);
	CHECK(first.handle && first.priority && second.handle && second.priority);
	second.prog_fd = second.prog_id = 0;
	CHECK_IS(bpf_tc_query(&egress, &second), 0);
	CHECK_IS(second.prog_id, id_of(skel->progs.on_filter));
	CHECK_IS(bpf_tc_hook_destroy(&hook), 0);
	second.prog_id = first.prog_fd = first.prog_id = 0;
	CHECK_ERR(bpf_tc_query(&hook, &first), ENOENT);
	CHECK_IS(bpf_tc_query(&egress, &second), 0);
	CHECK_SEES(by_filter);
	CHECK_IS(bpf_tc_hook_destroy(&both), 0);
	CHECK_SEES_NOT(by_filter);
	CHECK_IS(bpf_tc_hook_create(&hook), 0);
	CHECK_IS(bpf_tc_hook_destroy(&both), 0);

	// Filters of others can be asked for.
	opts.handle = 1;
	opts.priority = 1;
	opts.prog_id = 0;
	CHECK_ERR(bpf_tc_query(&hook, &opts), ENOENT);

	CHECK_ERR(bpf_tc_hook_create(&custom), EOPNOTSUPP);
	custom.parent = BPF_TC_PARENT(1, 2);
	opts.prog_fd = bpf_program__fd(skel->progs.on_filter);
	CHECK_ERR(bpf_tc_attach(&custom, &opts), EOPNOTSUPP);
	custom.parent = 0;
	CHECK_ERR(bpf_tc_attach(&custom, &opts), EINVAL);
	hook.parent = 1;
	CHECK_ERR(bpf_tc_attach(&hook, &opts), EINVAL);
	hook.parent = 0;
	opts.priority = 65536;
	CHECK_ERR(bpf_tc_attach(&hook, &opts), EINVAL);
	opts.priority = 1;
	opts.flags = 8;
	CHECK_ERR(bpf_tc_attach(&hook, &opts), EINVAL);
	CHECK_ERR(bpf_tc_attach(&hook, NULL), EINVAL);
	CHECK_ERR(bpf_tc_attach(NULL, &opts), EINVAL);
	CHECK_ERR(bpf_tc_detach(&hook, NULL), EINVAL);
	hook.ifindex = 4711;
	CHECK_ERR(bpf_tc_hook_create(&hook), ENODEV);
	hook.ifindex = 0;
	CHECK_ERR(bpf_tc_hook_create(&hook), EINVAL);
}

static void tcx_links(void)
{
	LIBBPF_OPTS(bpf_tcx_opts, opts, .flags = F_BEFORE);
	struct bpf_link *link = bpf_program__attach_tcx(skel->progs.on_egress, lo, NULL), *first;

	CHECK(link);
	CHECK_SEES(by_egress);
	first = bpf_program__attach_tcx(skel->progs.on_first, lo, &opts);
	CHECK(first);
	CHECK_SEES(by_first);
	CHECK(skel->bss->first_at < skel->bss->egress_at);
	CHECK_IS(bpf_link__destroy(first), 0);

	opts.flags = F_AFTER | F_LINK;
	opts.relative_fd = bpf_link__fd(link);
	first = bpf_program__attach_tcx(skel->progs.on_first, lo, &opts);
	CHECK(first);
	CHECK_SEES(by_first);
	CHECK(skel->bss->first_at > skel->bss->egress_at);
	CHECK_IS(bpf_link__destroy(first), 0);

	opts.flags = F_BEFORE;
	opts.relative_fd = bpf_program__fd(skel->progs.on_egress);
	first = bpf_program__attach_tcx(skel->progs.on_first, lo, &opts);
	CHECK(first);
	CHECK_SEES(by_first);
	CHECK(skel->bss->first_at < skel->bss->egress_at);
	CHECK_IS(bpf_link__destroy(first), 0);

	opts.flags = F_AFTER | F_ID;
	opts.relative_fd = 0;
	opts.relative_id = id_of(skel->progs.on_egress);
	first = bpf_program__attach_tcx(skel->progs.on_first, lo, &opts);
	CHECK(first);
	CHECK_SEES(by_first);
	CHECK(skel->bss->first_at > skel->bss->egress_at);
	CHECK_IS(bpf_link__destroy(first), 0);

	LIBBPF_OPTS_RESET(opts, .expected_revision = 4711);
	CHECK_NULL(bpf_program__attach_tcx(skel->progs.on_first, lo, &opts), ESTALE);
	LIBBPF_OPTS_RESET(opts, .flags = F_BEFORE | F_AFTER);
	CHECK_NULL(bpf_program__attach_tcx(skel->progs.on_first, lo, &opts), EINVAL);
	LIBBPF_OPTS_RESET(opts, .relative_fd = 5);
	CHECK_NULL(bpf_program__attach_tcx(skel->progs.on_first, lo, &opts), EINVAL);
	LIBBPF_OPTS_RESET(opts, .flags = F_BEFORE, .relative_fd = 5);
	CHECK_NULL(bpf_program__attach_tcx(skel->progs.on_first, lo, &opts), EBADF);
	LIBBPF_OPTS_RESET(opts, .flags = F_BEFORE | F_LINK, .relative_fd = 5);
	CHECK_NULL(bpf_program__attach_tcx(skel->progs.on_first, lo, &opts), EBADF);
	LIBBPF_OPTS_RESET(opts, .flags = F_BEFORE, .relative_fd = 5, .relative_id = 5);
	CHECK_NULL(bpf_program__attach_tcx(skel->progs.on_first, lo, &opts), EINVAL);
	LIBBPF_OPTS_RESET(opts, .flags = F_BEFORE | F_LINK, .relative_id = 5);
	CHECK_NULL(bpf_program__attach_tcx(skel->progs.on_first, lo, &opts), ENOTSUP);
	LIBBPF_OPTS_RESET(opts, .flags = 1u << 30);
	CHECK_NULL(bpf_program__attach_tcx(skel->progs.on_first, lo, &opts), EINVAL);
	CHECK_NULL(bpf_program__attach_tcx(skel->progs.on_first, 0, NULL), EINVAL);
	CHECK_NULL(bpf_program__attach_tcx(skel->progs.on_first, 4711, NULL), ENODEV);
	CHECK_NULL(bpf_program__attach_tcx(skel->progs.on_filter, lo, NULL), EINVAL);
	// Detached at once, also if somebody looks at the host's descriptors in this moment and so keeps the link.
	CHECK_IS(bpf_link__detach(link), 0);
	CHECK_IS(bpf_link__destroy(link), 0);

	int fd = bpf_link_create(bpf_program__fd(skel->progs.on_egress), lo, TCX_EGRESS, NULL);
	CHECK(fd >= 0);
	CHECK_SEES(by_egress);
	CHECK_IS(close(fd), 0);
	CHECK_SEES_NOT(by_egress);
}

static void tcx_without_links(void)
{
	int egress = bpf_program__fd(skel->progs.on_egress), first = bpf_program__fd(skel->progs.on_first);
	LIBBPF_OPTS(bpf_prog_attach_opts, opts, .flags = F_BEFORE);

	CHECK_ERR(bpf_prog_detach_opts(egress, lo, TCX_EGRESS, NULL), ENOENT);
	CHECK_IS(bpf_prog_attach_opts(egress, lo, TCX_EGRESS, NULL), 0);
	CHECK_SEES(by_egress);
	CHECK_IS(bpf_prog_attach_opts(first, lo, TCX_EGRESS, &opts), 0);
	CHECK_SEES(by_first);
	CHECK(skel->bss->first_at < skel->bss->egress_at);
	CHECK_IS(bpf_prog_detach_opts(first, lo, TCX_EGRESS, NULL), 0);
	CHECK_SEES_NOT(by_first);
	CHECK_SEES(by_egress);

	LIBBPF_OPTS_RESET(opts, .flags = BPF_F_REPLACE, .replace_prog_fd = first);
	CHECK_ERR(bpf_prog_attach_opts(first, lo, TCX_EGRESS, &opts), ENOENT);
	opts.replace_prog_fd = egress;
	CHECK_IS(bpf_prog_attach_opts(first, lo, TCX_EGRESS, &opts), 0);
	CHECK_SEES(by_first);
	CHECK_SEES_NOT(by_egress);
	CHECK_ERR(bpf_prog_detach_opts(egress, lo, TCX_EGRESS, NULL), ENOENT);
	CHECK_ERR(bpf_prog_detach_opts(first, veth0, TCX_EGRESS, NULL), ENOENT);
	CHECK_ERR(bpf_prog_detach_opts(first, lo, TCX_EGRESS, &(struct bpf_prog_detach_opts){
		.sz = sizeof(struct bpf_prog_detach_opts), .expected_revision = 1 }), ENOTSUP);
	CHECK_ERR(bpf_prog_detach_opts(first, lo, TCX_EGRESS, &(struct bpf_prog_detach_opts){
		.sz = sizeof(struct bpf_prog_detach_opts), .flags = 1 }), EINVAL);
	CHECK_IS(bpf_prog_detach_opts(0, lo, TCX_EGRESS, NULL), 0);
	CHECK_SEES_NOT(by_first);
	CHECK_ERR(bpf_prog_attach_opts(first, 0, TCX_EGRESS, NULL), ENODEV);
	opts.flags = 0;
	CHECK_ERR(bpf_prog_attach_opts(first, lo, TCX_EGRESS, &opts), EINVAL);
}

// This kernel may have no netkit, and this network namespace has none.
static void netkit(void)
{
	CHECK_NULL(bpf_program__attach_netkit(skel->progs.on_egress, 0, NULL), EINVAL);
	CHECK_NULL(bpf_program__attach_netkit(skel->progs.on_egress, lo, NULL), EINVAL);
	CHECK(bpf_link_create(bpf_program__fd(skel->progs.on_filter), lo, NETKIT_PRIMARY, NULL) < 0);
}

int main(void)
{
	lo = if_nametoindex("lo");
	veth0 = if_nametoindex("veth0");
	veth1 = if_nametoindex("veth1");
	CHECK(lo && veth0 && veth1);
	skel = attach_network_bpf__open_and_load();
	CHECK(skel);
	xdp_links();
	xdp_without_links();
	filters();
	tcx_links();
	tcx_without_links();
	netkit();
	attach_network_bpf__destroy(skel);
	return 0;
}
