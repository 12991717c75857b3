// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// socket(), and when packet sockets come to be.
#include <netinet/in.h>

#include <linux/if_ether.h>

#include "errors.h"
#include "globals.h"
#include "sockets/socket.h"

// What a socket of the internet is called in the interface; negative: an errno.
static int kind_of(int domain, int type, int protocol)
{
	switch (type) {
	case SOCK_STREAM:
		if (protocol && protocol != IPPROTO_TCP)
			return wb_refuse(EPROTONOSUPPORT, "a guest's sockets of type SOCK_STREAM are TCP, not of protocol %d", protocol);
		return domain == AF_INET ? WASM_BPF_BPF_SOCKETS_SOCKET_KIND_TCP4 : WASM_BPF_BPF_SOCKETS_SOCKET_KIND_TCP6;
	case SOCK_DGRAM:
		if (protocol && protocol != IPPROTO_UDP)
			return wb_refuse(EPROTONOSUPPORT, "a guest's sockets of type SOCK_DGRAM are UDP, not of protocol %d", protocol);
		return domain == AF_INET ? WASM_BPF_BPF_SOCKETS_SOCKET_KIND_UDP4 : WASM_BPF_BPF_SOCKETS_SOCKET_KIND_UDP6;
	default:
		return wb_refuse(ESOCKTNOSUPPORT, "a guest's sockets of the internet are TCP and UDP, not of type %d", type);
	}
}

static int open_internet(int domain, int type, int protocol, bool nonblocking)
{
	wasm_bpf_bpf_sockets_socket_kind_t kind = {};
	wasm_bpf_bpf_sockets_own_socket_t handle;
	wasm_bpf_bpf_sockets_error_t error;
	int number = kind_of(domain, type, protocol);

	if (number < 0)
		return number;
	kind.tag = number;
	if (!wasm_bpf_bpf_sockets_static_socket_open(&kind, &handle, &error))
		return wb_fail(&error, "open a socket");
	return wb_socket_number(handle, domain, type, type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP, nonblocking);
}

// Which interface's packets they are is said by bind(), as a rule.
static int open_packets(int type, int protocol, bool nonblocking)
{
	if (type != SOCK_RAW)
		return wb_refuse(ESOCKTNOSUPPORT, "a guest's packet sockets are of type SOCK_RAW, not %d", type);
	if (protocol && protocol != htons(ETH_P_ALL))
		return wb_refuse(EPROTONOSUPPORT, "a guest's packet sockets are for htons(ETH_P_ALL), not htons(%#x)", ntohs(protocol));
	return wb_socket_number((wasm_bpf_bpf_sockets_own_socket_t){}, AF_PACKET, type, protocol, nonblocking);
}

int socket(int domain, int type, int protocol)
{
	const bool nonblocking = type & SOCK_NONBLOCK;
	int fd;

	// There is nobody to inherit it.
	type &= ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	WB_CALL;
	switch (domain) {
	case AF_INET:
	case AF_INET6:
		fd = open_internet(domain, type, protocol, nonblocking);
		break;
	case AF_PACKET:
		fd = open_packets(type, protocol, nonblocking);
		break;
	default:
		fd = wb_refuse(EAFNOSUPPORT, "a guest has no sockets of the address family %d", domain);
	}
	return wb_socket_result(fd);
}

int wb_socket_take_packets(struct wb_socket *socket, wasm_bpf_bpf_sockets_own_socket_t handle)
{
	const wasm_bpf_bpf_sockets_own_socket_t before = socket->handle;
	int err;

	socket->handle = handle;
	err = socket->filter_program >= 0 ? wb_socket_attach_filter(socket, socket->filter_program) : 0;
	if (err) {
		socket->handle = before;
		wasm_bpf_bpf_sockets_socket_drop_own(handle);
		errno = -err;
	} else if (before.__handle) {
		wasm_bpf_bpf_sockets_socket_drop_own(before);
	}
	return err;
}

int wb_socket_open(struct wb_socket *socket)
{
	wasm_bpf_bpf_sockets_own_socket_t handle;
	wasm_bpf_bpf_sockets_error_t error;

	if (socket->handle.__handle)
		return 0;
	if (!socket->protocol)
		return wb_refuse(EINVAL, "a packet socket of protocol 0 receives nothing until bind() gives it htons(ETH_P_ALL)");
	if (!wasm_bpf_bpf_sockets_static_socket_open_packet(NULL, &handle, &error))
		return wb_fail(&error, "open a packet socket that is not bound to an interface");
	return wb_socket_take_packets(socket, handle);
}
