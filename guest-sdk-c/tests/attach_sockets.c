// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs of maps of sockets, of network namespaces and of netfilter, by links and without.
// needs: kernel=6.10 netns
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "attach_sockets.skel.h"
#include "check.h"

#define NETFILTER 45

static struct attach_sockets_bpf *skel;
static int client, server;

static struct sockaddr_in local(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void send_to(int fd, const char *what)
{
	CHECK_IS(send(fd, what, strlen(what), 0), strlen(what));
	usleep(20000);
}

// A connection through lo.
static void open_pair(void)
{
	struct sockaddr_in address = local(4711);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	CHECK_IS(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_IS(listen(listener, 4), 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_IS(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
	server = accept(listener, NULL, NULL);
	CHECK(server > 0);
	close(listener);
}

// A socket in a map takes the programs that are attached to the map then.
static void store(void)
{
	__u64 fd = server;
	__u32 key = 0;

	bpf_map_delete_elem(bpf_map__fd(skel->maps.sockets), &key);
	CHECK_IS(bpf_map_update_elem(bpf_map__fd(skel->maps.sockets), &key, &fd, BPF_ANY), 0);
}

static void maps_of_sockets(void)
{
	int map = bpf_map__fd(skel->maps.sockets), type = BPF_SK_SKB_STREAM_VERDICT;
	int verdict = bpf_program__fd(skel->progs.verdict), other = bpf_program__fd(skel->progs.other_verdict);
	struct bpf_link *link = bpf_program__attach_sockmap(skel->progs.verdict, map);
	__u64 seen;
	int fd;

	CHECK(link);
	CHECK_NULL(bpf_program__attach_sockmap(skel->progs.other_verdict, map), EBUSY);
	open_pair();
	store();
	send_to(client, "hello");
	seen = skel->bss->by_verdict;
	CHECK(seen > 0);
	CHECK_IS(bpf_link__update_program(link, skel->progs.other_verdict), 0);
	store();
	send_to(client, "hello");
	CHECK_IS(skel->bss->by_verdict, seen);
	CHECK(skel->bss->by_other > 0);
	CHECK_IS(bpf_link__destroy(link), 0);

	fd = bpf_link_create(bpf_program__fd(skel->progs.message), map, BPF_SK_MSG_VERDICT, NULL);
	CHECK(fd >= 0);
	CHECK_IS(close(fd), 0);
	CHECK_NULL(bpf_program__attach_sockmap(skel->progs.verdict, 4711), EBADF);
	CHECK_NULL(bpf_program__attach_sockmap(skel->progs.verdict, bpf_map__fd(skel->maps.bss)), EOPNOTSUPP);

	CHECK_IS(bpf_prog_attach(verdict, map, type, 0), 0);
	CHECK_NULL(bpf_program__attach_sockmap(skel->progs.other_verdict, map), EBUSY);
	CHECK_IS(bpf_prog_attach(other, map, type, 0), 0);
	CHECK_ERR(bpf_prog_detach2(verdict, map, type), ENOENT);
	CHECK_IS(bpf_prog_detach2(other, map, type), 0);
	CHECK_ERR(bpf_prog_detach2(other, map, type), ENOENT);
	CHECK_IS(bpf_prog_attach(verdict, map, type, 0), 0);
	CHECK_IS(bpf_prog_detach(map, type), 0);
	CHECK_ERR(bpf_prog_attach(verdict, map, type, 1), EINVAL);
	CHECK_ERR(bpf_prog_attach(verdict, 4711, type, 0), EBADF);
	link = bpf_program__attach_sockmap(skel->progs.verdict, map);
	CHECK(link);
	CHECK_IS(bpf_link__destroy(link), 0);
	close(client);
	close(server);
}

static void look_up(void)
{
	struct sockaddr_in address = local(9);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK_IS(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	send_to(fd, "x");
	close(fd);
}

static void namespaces(void)
{
	int netns = open("/run/own-netns", O_RDONLY), other = open("/run", O_RDONLY | O_DIRECTORY), fd;
	int dissector = bpf_program__fd(skel->progs.dissector), other_dissector = bpf_program__fd(skel->progs.other_dissector);
	struct bpf_link *link;

	CHECK(netns >= 0 && other >= 0);
	link = bpf_program__attach_netns(skel->progs.lookup, netns);
	CHECK(link);
	look_up();
	CHECK_IS(skel->bss->by_lookup, 1);
	CHECK_IS(bpf_link__destroy(link), 0);
	look_up();
	CHECK_IS(skel->bss->by_lookup, 1);
	fd = bpf_link_create(bpf_program__fd(skel->progs.lookup), netns, BPF_SK_LOOKUP, NULL);
	CHECK(fd >= 0);
	look_up();
	CHECK_IS(skel->bss->by_lookup, 2);
	CHECK_IS(close(fd), 0);
	CHECK_NULL(bpf_program__attach_netns(skel->progs.lookup, other), EINVAL);
	CHECK_NULL(bpf_program__attach_netns(skel->progs.lookup, 4711), EBADF);
	CHECK_NULL(bpf_program__attach_netns(skel->progs.message, netns), EINVAL);

	CHECK_IS(bpf_prog_attach(dissector, 0, BPF_FLOW_DISSECTOR, 0), 0);
	CHECK_NULL(bpf_program__attach_netns(skel->progs.dissector, netns), E2BIG);
	CHECK_IS(bpf_prog_attach(other_dissector, 0, BPF_FLOW_DISSECTOR, 0), 0);
	CHECK_ERR(bpf_prog_detach2(dissector, 0, BPF_FLOW_DISSECTOR), ENOENT);
	CHECK_IS(bpf_prog_detach(0, BPF_FLOW_DISSECTOR), 0);
	link = bpf_program__attach_netns(skel->progs.dissector, netns);
	CHECK(link);
	CHECK_IS(bpf_link__destroy(link), 0);
	CHECK_ERR(bpf_prog_attach(dissector, netns, BPF_FLOW_DISSECTOR, 0), EINVAL);
	close(netns);
	close(other);
}

static void netfilter(void)
{
	LIBBPF_OPTS(bpf_netfilter_opts, opts, .pf = 2, .hooknum = 1, .priority = -100);
	LIBBPF_OPTS(bpf_link_create_opts, create, .netfilter = { .pf = 10, .hooknum = 1, .priority = 5 });
	struct bpf_link *link = bpf_program__attach_netfilter(skel->progs.filter, &opts);
	struct bpf_link_info info = { 0 };
	__u32 length = sizeof(info);
	int fd;

	CHECK(link);
	CHECK_NULL(bpf_program__attach_netfilter(skel->progs.filter, &opts), EBUSY);
	CHECK_IS(bpf_link_get_info_by_fd(bpf_link__fd(link), &info, &length), 0);
	CHECK_IS(info.type, 10);
	CHECK_IS(bpf_link__destroy(link), 0);
	fd = bpf_link_create(bpf_program__fd(skel->progs.filter), 0, NETFILTER, &create);
	CHECK(fd >= 0);
	CHECK_IS(close(fd), 0);
	opts.flags = 8;
	CHECK_NULL(bpf_program__attach_netfilter(skel->progs.filter, &opts), EINVAL);
	opts.flags = 0;
	opts.pf = 77;
	CHECK_NULL(bpf_program__attach_netfilter(skel->progs.filter, &opts), EAFNOSUPPORT);
	CHECK_NULL(bpf_program__attach_netfilter(skel->progs.message, &opts), EINVAL);
	CHECK_ERR(bpf_link_create(bpf_program__fd(skel->progs.filter), 0, NETFILTER, NULL), EINVAL);
}

int main(void)
{
	skel = attach_sockets_bpf__open_and_load();
	CHECK(skel);
	maps_of_sockets();
	namespaces();
	netfilter();
	attach_sockets_bpf__destroy(skel);
	return 0;
}
