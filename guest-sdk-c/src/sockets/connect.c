// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Connections: to whom, from whom.
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "errors.h"
#include "globals.h"
#include "object.h"
#include "sockets/socket.h"

static int try_to_connect(struct wb_socket *socket, const char *text)
{
	wasm_bpf_string_t address = wb_string(text);
	wasm_bpf_bpf_sockets_error_t error;

	if (wasm_bpf_bpf_sockets_method_socket_connect(wb_socket_borrow(socket), &address, &error))
		return 0;
	if (error.code.tag != WASM_BPF_BPF_TYPES_ERROR_CODE_WOULD_BLOCK)
		return wb_fail(&error, "connect a socket");
	wasm_bpf_bpf_types_error_free(&error);
	return -EINPROGRESS;
}

static void forget(struct wb_socket *socket)
{
	free(socket->connecting);
	socket->connecting = NULL;
}

static int connect_to(struct wb_socket *socket, const struct sockaddr *address, socklen_t length)
{
	const int64_t deadline = wb_socket_deadline(socket->send_timeout);
	const bool began = socket->connecting;
	char text[WB_ADDRESS_TEXT];
	int err;

	if (socket->domain == AF_PACKET)
		return wb_refuse(EOPNOTSUPP, "packet sockets are not connected");
	err = wb_socket_text_of(socket, address, length, text);
	if (err)
		return err;
	for (;;) {
		int waited;

		err = try_to_connect(socket, text);
		if (err != -EINPROGRESS) {
			forget(socket);
			return err;
		}
		if (!socket->connecting)
			socket->connecting = strdup(text);
		if (!socket->connecting)
			return -ENOMEM;
		if (socket->nonblocking)
			return began ? -EALREADY : -EINPROGRESS;
		waited = wb_socket_wait(socket, true, deadline);
		// It goes on connecting.
		if (waited)
			return waited == -EAGAIN ? -EINPROGRESS : waited;
	}
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
	struct wb_socket *socket = wb_socket_at(fd);

	if (!socket)
		return -1;
	WB_CALL;
	return wb_socket_result(connect_to(socket, address, length));
}

int wb_socket_connect_error(struct wb_socket *socket)
{
	int err = socket->connecting ? try_to_connect(socket, socket->connecting) : 0;

	if (err == -EINPROGRESS)
		return 0;
	forget(socket);
	return -err;
}

int listen(int fd, int backlog)
{
	struct wb_socket *socket = wb_socket_at(fd);
	wasm_bpf_bpf_sockets_error_t error;

	if (!socket)
		return -1;
	if (socket->type != SOCK_STREAM)
		return wb_socket_result(-EOPNOTSUPP);
	WB_CALL;
	// A negative number is the most that there can be, as for the kernel.
	if (!wasm_bpf_bpf_sockets_method_socket_listen(wb_socket_borrow(socket), backlog, &error))
		return wb_socket_result(wb_fail(&error, "take connections"));
	// The kernel gave it an address if it had none.
	socket->listens = socket->bound = true;
	return 0;
}

static int next_connection(struct wb_socket *socket, bool nonblocking)
{
	const int64_t deadline = wb_socket_deadline(socket->receive_timeout);
	wasm_bpf_bpf_sockets_own_socket_t handle;
	wasm_bpf_bpf_sockets_error_code_t error;
	int err;

	while (!wasm_bpf_bpf_sockets_method_socket_accept(wb_socket_borrow(socket), &handle, &error)) {
		if (error.tag != WASM_BPF_BPF_TYPES_ERROR_CODE_WOULD_BLOCK)
			return wb_fail_code(&error);
		err = socket->nonblocking ? -EAGAIN : wb_socket_wait(socket, false, deadline);
		if (err)
			return err;
	}
	return wb_socket_number(handle, socket->domain, socket->type, socket->protocol, nonblocking);
}

static int give_peer(struct wb_socket *socket, struct sockaddr *address, socklen_t *length)
{
	wasm_bpf_bpf_sockets_error_code_t error;
	wasm_bpf_option_string_t found;

	if (!wasm_bpf_bpf_sockets_method_socket_peer_address(wb_socket_borrow(socket), &found, &error))
		return wb_fail_code(&error);
	return found.is_some ? wb_socket_give_address(&found.val, address, length) : -ENOTCONN;
}

int accept4(int fd, struct sockaddr *restrict address, socklen_t *restrict length, int flags)
{
	struct wb_socket *socket = wb_socket_at(fd);
	int accepted, err = 0;

	if (!socket)
		return -1;
	if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
		return wb_socket_result(-EINVAL);
	if (socket->type != SOCK_STREAM)
		return wb_socket_result(-EOPNOTSUPP);
	if (address && !length)
		return wb_socket_result(-EFAULT);
	if (address && (int)*length < 0)
		return wb_socket_result(-EINVAL);
	WB_CALL;
	accepted = next_connection(socket, flags & SOCK_NONBLOCK);
	if (accepted >= 0 && address)
		err = give_peer(wb_socket_at(accepted), address, length);
	// The peer was gone before it had a name: that was no connection.
	if (err) {
		close(accepted);
		return wb_socket_result(err == -ENOTCONN ? -ECONNABORTED : err);
	}
	return wb_socket_result(accepted);
}

int accept(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
	return accept4(fd, address, length, 0);
}

int getpeername(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
	struct wb_socket *socket = wb_socket_at(fd);

	if (!socket)
		return -1;
	if (!address || !length)
		return wb_socket_result(-EFAULT);
	if (socket->domain == AF_PACKET)
		return wb_socket_result(-EOPNOTSUPP);
	WB_CALL;
	return wb_socket_result(give_peer(socket, address, length));
}

// The interface has no half of a connection, and closing ends both.
int shutdown(int fd, int how)
{
	if (!wb_socket_at(fd))
		return -1;
	if (how < SHUT_RD || how > SHUT_RDWR)
		return wb_socket_result(-EINVAL);
	return wb_socket_result(wb_refuse(EOPNOTSUPP, "a guest cannot shut down a part of a socket: close() it"));
}
