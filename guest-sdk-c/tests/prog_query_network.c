// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is attached to a network interface with tcx, and to a network namespace.
// needs: netns
#include <fcntl.h>
#include <net/if.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "check.h"
#include "prog_query_network.skel.h"

#define TCX_INGRESS 46

static struct prog_query_network_bpf *skel;

static __u32 id_of(const struct bpf_program *program)
{
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);

	CHECK_IS(bpf_prog_get_info_by_fd(bpf_program__fd(program), &info, &length), 0);
	return info.id;
}

static void namespaces(void)
{
	const int netns = open("/run/own-netns", O_RDONLY);
	__u32 ids[2] = {}, count = 2;
	struct bpf_link *link;

	CHECK(netns >= 0);
	CHECK_IS(bpf_prog_query(netns, BPF_FLOW_DISSECTOR, 0, NULL, ids, &count), 0);
	CHECK_IS(count, 0);
	link = bpf_program__attach_netns(skel->progs.look_up, netns);
	CHECK(link);
	count = 2;
	CHECK_IS(bpf_prog_query(netns, BPF_SK_LOOKUP, 0, NULL, ids, &count), 0);
	CHECK_IS(count, 1);
	CHECK_IS(ids[0], id_of(skel->progs.look_up));
	bpf_link__destroy(link);
	count = 2;
	CHECK_IS(bpf_prog_query(netns, BPF_SK_LOOKUP, 0, NULL, ids, &count), 0);
	CHECK_IS(count, 0);
	close(netns);
}

int main(void)
{
	__u32 ids[2] = {}, links[2] = {}, length;
	LIBBPF_OPTS(bpf_prog_query_opts, opts, .prog_ids = ids, .link_ids = links, .count = 2);
	const int index = if_nametoindex("veth0");
	struct bpf_link_info info = {};
	struct bpf_link *link;

	libbpf_set_print(NULL);
	skel = prog_query_network_bpf__open_and_load();
	CHECK(skel);
	CHECK(index > 0);
	link = bpf_program__attach_tcx(skel->progs.pass, index, NULL);
	CHECK(link);
	CHECK_IS(bpf_prog_query_opts(index, TCX_INGRESS, &opts), 0);
	CHECK_IS(opts.count, 1);
	CHECK_IS(ids[0], id_of(skel->progs.pass));
	length = sizeof(info);
	CHECK_IS(bpf_link_get_info_by_fd(bpf_link__fd(link), &info, &length), 0);
	CHECK_IS(links[0], info.id);
	CHECK_IS(info.xdp.ifindex, index);
	CHECK_ERR(bpf_prog_query_opts(1 << 20, TCX_INGRESS, &opts), ENODEV);
	bpf_link__destroy(link);
	opts.count = 2;
	CHECK_IS(bpf_prog_query_opts(index, TCX_INGRESS, &opts), 0);
	CHECK_IS(opts.count, 0);
	namespaces();
	prog_query_network_bpf__destroy(skel);
	return 0;
}
