// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// With grants for one interface, and none to ask the kernel: what a program attached itself it can find, replace and detach; more is
// refused.
// grants: xdp=lo tc=lo
// needs: kernel=6.6 netns
#include <linux/if_link.h>
#include <net/if.h>
#include <stdio.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "attach_network.skel.h"
#include "check.h"

int main(void)
{
	struct attach_network_bpf *skel = attach_network_bpf__open_and_load();
	int lo = if_nametoindex("lo"), veth0 = if_nametoindex("veth0");
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = lo, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts);
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	__u32 id = 0;

	CHECK(skel);
	CHECK(lo > 0 && veth0 > 0);
	// What others have there it cannot know, and says so.
	CHECK_ERR(bpf_xdp_query(lo, 0, &query), EPERM);
	CHECK_ERR(bpf_xdp_query_id(lo, 0, &id), EPERM);
	CHECK_IS(bpf_xdp_detach(lo, 0, NULL), 0);
	CHECK_IS(bpf_xdp_attach(lo, bpf_program__fd(skel->progs.on_xdp), XDP_FLAGS_SKB_MODE, NULL), 0);
	CHECK_IS(bpf_xdp_query_id(lo, 0, &id), 0);
	CHECK(id > 0);
	CHECK_IS(bpf_xdp_query_id(lo, XDP_FLAGS_SKB_MODE, &id), 0);
	CHECK(id > 0);
	CHECK_IS(bpf_xdp_detach(lo, XDP_FLAGS_SKB_MODE, NULL), 0);
	CHECK_ERR(bpf_xdp_query_id(lo, 0, &id), EPERM);
	CHECK_ERR(bpf_xdp_attach(veth0, bpf_program__fd(skel->progs.on_xdp), 0, NULL), EPERM);
	CHECK_NULL(bpf_program__attach_xdp(skel->progs.on_xdp, veth0), EPERM);

	opts.prog_fd = bpf_program__fd(skel->progs.on_filter);
	CHECK_IS(bpf_tc_hook_create(&hook), 0);
	CHECK_IS(bpf_tc_attach(&hook, &opts), 0);
	opts.prog_fd = opts.prog_id = 0;
	CHECK_IS(bpf_tc_query(&hook, &opts), 0);
	CHECK(opts.prog_id > 0);
	opts.prog_id = 0;
	CHECK_IS(bpf_tc_detach(&hook, &opts), 0);
	CHECK_ERR(bpf_tc_query(&hook, &opts), EPERM);
	hook.ifindex = veth0;
	LIBBPF_OPTS_RESET(opts, .prog_fd = bpf_program__fd(skel->progs.on_filter));
	CHECK_ERR(bpf_tc_attach(&hook, &opts), EPERM);
	CHECK_NULL(bpf_program__attach_tcx(skel->progs.on_egress, veth0, NULL), EPERM);
	attach_network_bpf__destroy(skel);
	return 0;
}
