// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs of a netkit pair, with links and without.
// needs: vm kernel=6.7 netns netkit
#include <net/if.h>
#include <stdio.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "attach_netkit.skel.h"
#include "check.h"

#define NETKIT_PRIMARY 54
#define NETKIT_PEER 55
#define F_BEFORE (1 << 3)

// How many programs are attached, and the first.
static __u32 attached(int ifindex, int type, __u32 *first)
{
	__u32 ids[8] = { 0 };
	LIBBPF_OPTS(bpf_prog_query_opts, opts, .prog_ids = ids, .count = 8);

	CHECK_IS(bpf_prog_query_opts(ifindex, type, &opts), 0);
	if (first)
		*first = ids[0];
	return opts.count;
}

static __u32 id_of(const struct bpf_program *program)
{
	struct bpf_prog_info info = { 0 };
	__u32 length = sizeof(info);

	CHECK_IS(bpf_prog_get_info_by_fd(bpf_program__fd(program), &info, &length), 0);
	return info.id;
}

int main(void)
{
	struct attach_netkit_bpf *skel = attach_netkit_bpf__open_and_load();
	int pair = if_nametoindex("primary0"), lo = if_nametoindex("lo"), fd;
	LIBBPF_OPTS(bpf_netkit_opts, opts, .flags = F_BEFORE);
	struct bpf_link *link, *first;
	__u32 id;

	CHECK(skel);
	CHECK(pair > 0);
	link = bpf_program__attach_netkit(skel->progs.primary, pair, NULL);
	CHECK(link);
	CHECK_IS(attached(pair, NETKIT_PRIMARY, NULL), 1);
	opts.relative_fd = bpf_program__fd(skel->progs.primary);
	first = bpf_program__attach_netkit(skel->progs.other, pair, &opts);
	CHECK(first);
	CHECK_IS(attached(pair, NETKIT_PRIMARY, &id), 2);
	CHECK_IS(id, id_of(skel->progs.other));
	CHECK_IS(bpf_link__detach(first), 0);
	CHECK_IS(bpf_link__destroy(first), 0);
	CHECK_IS(bpf_link__detach(link), 0);
	CHECK_IS(bpf_link__destroy(link), 0);
	CHECK_IS(attached(pair, NETKIT_PRIMARY, NULL), 0);
	fd = bpf_link_create(bpf_program__fd(skel->progs.peer), pair, NETKIT_PEER, NULL);
	CHECK(fd >= 0);
	CHECK_IS(attached(pair, NETKIT_PEER, NULL), 1);
	CHECK_IS(bpf_link_detach(fd), 0);
	CHECK_IS(close(fd), 0);
	CHECK_IS(attached(pair, NETKIT_PEER, NULL), 0);

	CHECK_IS(bpf_prog_attach_opts(bpf_program__fd(skel->progs.primary), pair, NETKIT_PRIMARY, NULL), 0);
	CHECK_IS(attached(pair, NETKIT_PRIMARY, &id), 1);
	CHECK_IS(id, id_of(skel->progs.primary));
	CHECK_IS(bpf_prog_detach_opts(bpf_program__fd(skel->progs.primary), pair, NETKIT_PRIMARY, NULL), 0);

	CHECK_NULL(bpf_program__attach_netkit(skel->progs.primary, lo, NULL), ENXIO);
	CHECK_NULL(bpf_program__attach_netkit(skel->progs.primary, 4711, NULL), ENODEV);
	LIBBPF_OPTS_RESET(opts, .flags = F_BEFORE, .relative_fd = 4711);
	CHECK_NULL(bpf_program__attach_netkit(skel->progs.primary, pair, &opts), EBADF);
	opts.sz = 1;
	CHECK_NULL(bpf_program__attach_netkit(skel->progs.primary, pair, &opts), EINVAL);
	attach_netkit_bpf__destroy(skel);
	return 0;
}
