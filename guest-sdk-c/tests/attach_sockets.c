// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs of maps of sockets, of network namespaces and of netfilter, by links and without.
// needs: netns
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "attach_sockets.skel.h"
#include "check.h"
#include "wasm_bpf.h"

#define NETFILTER 45

// Of the library: a descriptor for a handle of the bindings.
int wb_socket_descriptor(wasm_bpf_bpf_sockets_own_socket_t socket);

typedef wasm_bpf_bpf_sockets_own_socket_t own_socket;

static struct attach_sockets_bpf *skel;
static own_socket client, server;

static own_socket open_socket(int tag)
{
	wasm_bpf_bpf_sockets_socket_kind_t kind = { .tag = tag };
	wasm_bpf_bpf_types_error_t error;
	own_socket socket;

	CHECK(wasm_bpf_bpf_sockets_static_socket_open(&kind, &socket, &error));
	return socket;
}

static wasm_bpf_string_t text(const char *text)
{
	return (wasm_bpf_string_t){ (uint8_t *)text, strlen(text) };
}

static void send_to(own_socket socket, const char *what)
{
	wasm_bpf_list_u8_t data = { (uint8_t *)what, strlen(what) };
	wasm_bpf_bpf_types_error_code_t code;
	uint32_t sent;

	CHECK(wasm_bpf_bpf_sockets_method_socket_send(wasm_bpf_bpf_sockets_borrow_socket(socket), &data, &sent, &code));
	CHECK_IS(sent, data.len);
	usleep(20000);
}

// A connection through lo.
static void open_pair(void)
{
	own_socket listener = open_socket(WASM_BPF_BPF_SOCKETS_SOCKET_KIND_TCP4);
	wasm_bpf_bpf_sockets_borrow_socket_t listening = wasm_bpf_bpf_sockets_borrow_socket(listener);
	wasm_bpf_bpf_types_error_t error;
	wasm_bpf_bpf_types_error_code_t code;
	wasm_bpf_string_t address = text("127.0.0.1:4711");

	CHECK(wasm_bpf_bpf_sockets_method_socket_bind(listening, &address, &error));
	CHECK(wasm_bpf_bpf_sockets_method_socket_listen(listening, 4, &error));
	client = open_socket(WASM_BPF_BPF_SOCKETS_SOCKET_KIND_TCP4);
	while (!wasm_bpf_bpf_sockets_method_socket_connect(wasm_bpf_bpf_sockets_borrow_socket(client), &address, &error)) {
		CHECK_IS(error.code.tag, WASM_BPF_BPF_TYPES_ERROR_CODE_WOULD_BLOCK);
		wasm_bpf_bpf_types_error_free(&error);
		usleep(1000);
	}
	while (!wasm_bpf_bpf_sockets_method_socket_accept(listening, &server, &code))
		usleep(1000);
	wasm_bpf_bpf_sockets_socket_drop_own(listener);
}

// A socket in a map takes the programs that are attached to the map then.
static void store(void)
{
	static __u64 fd;
	__u32 key = 0;

	if (!fd)
		fd = wb_socket_descriptor(server);
	CHECK((int)fd > 0);
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
	wasm_bpf_bpf_sockets_socket_drop_own(client);
}

static void look_up(void)
{
	own_socket socket = open_socket(WASM_BPF_BPF_SOCKETS_SOCKET_KIND_UDP4);
	wasm_bpf_string_t address = text("127.0.0.1:9");
	wasm_bpf_bpf_types_error_t error;

	CHECK(wasm_bpf_bpf_sockets_method_socket_connect(wasm_bpf_bpf_sockets_borrow_socket(socket), &address, &error));
	send_to(socket, "x");
	wasm_bpf_bpf_sockets_socket_drop_own(socket);
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
