// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// bind(), and the addresses that sockets have.
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "descriptors.h"
#include "errors.h"
#include "globals.h"
#include "object.h"
#include "sockets/socket.h"

static int bind_packets(struct wb_socket *socket, const struct sockaddr *given, socklen_t length)
{
	wasm_bpf_bpf_sockets_own_socket_t handle;
	wasm_bpf_bpf_sockets_error_t error;
	struct sockaddr_ll address;
	wasm_bpf_string_t name;
	int protocol;
	bool ok;

	if (!given)
		return -EFAULT;
	if (length < sizeof(address))
		return wb_refuse(EINVAL, "the address of a packet socket is a whole struct sockaddr_ll: %zu bytes, not %u", sizeof(address), length);
	memcpy(&address, given, sizeof(address));
	if (address.sll_family != AF_PACKET)
		return wb_refuse(EINVAL, "a packet socket was given an address of family %u", address.sll_family);
	protocol = address.sll_protocol ? address.sll_protocol : socket->protocol;
	if (protocol != htons(ETH_P_ALL))
		return wb_refuse(EPROTONOSUPPORT, "a guest's packet sockets are for htons(ETH_P_ALL), not htons(%#x)", ntohs(protocol));
	if (address.sll_ifindex && !wasm_bpf_bpf_features_interface_name(address.sll_ifindex, &name))
		return wb_refuse(ENODEV, "there is no network interface %d", address.sll_ifindex);
	ok = wasm_bpf_bpf_sockets_static_socket_open_packet(address.sll_ifindex ? &name : NULL, &handle, &error);
	if (address.sll_ifindex)
		wasm_bpf_string_free(&name);
	if (!ok)
		return wb_fail(&error, "bind a packet socket");
	socket->protocol = protocol;
	return wb_socket_take_packets(socket, handle);
}

static int bind_internet(struct wb_socket *socket, const struct sockaddr *address, socklen_t length)
{
	wasm_bpf_bpf_sockets_error_t error;
	char text[WB_ADDRESS_TEXT];
	wasm_bpf_string_t given;
	int err = wb_socket_text_of(socket, address, length, text);

	if (err)
		return err;
	given = wb_string(text);
	if (!wasm_bpf_bpf_sockets_method_socket_bind(wb_socket_borrow(socket), &given, &error))
		return wb_fail(&error, "bind a socket");
	socket->bound = true;
	if (socket->chooser_program < 0)
		return 0;
	// Of SO_ATTACH_REUSEPORT_EBPF, which came before.
	err = wb_socket_attach_chooser(socket, socket->chooser_program);
	wb_descriptor_close(socket->chooser_program);
	socket->chooser_program = -1;
	if (err)
		errno = -err;
	return err;
}

int bind(int fd, const struct sockaddr *address, socklen_t length)
{
	struct wb_socket *socket = wb_socket_at(fd);

	if (!socket)
		return -1;
	WB_CALL;
	return wb_socket_result(socket->domain == AF_PACKET ? bind_packets(socket, address, length) : bind_internet(socket, address, length));
}

int getsockname(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
	struct wb_socket *socket = wb_socket_at(fd);
	wasm_bpf_bpf_sockets_error_code_t error;
	wasm_bpf_string_t text;

	if (!socket)
		return -1;
	if (!address || !length)
		return wb_socket_result(-EFAULT);
	if (socket->domain == AF_PACKET)
		return wb_socket_result(wb_refuse(EOPNOTSUPP, "a guest's packet sockets do not know their address"));
	WB_CALL;
	if (!wasm_bpf_bpf_sockets_method_socket_local_address(wb_socket_borrow(socket), &text, &error))
		return wb_socket_result(wb_fail_code(&error));
	return wb_socket_result(wb_socket_give_address(&text, address, length));
}
