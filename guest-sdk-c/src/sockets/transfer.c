// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sending and receiving, and the waits of both.
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "errors.h"
#include "globals.h"
#include "sockets/socket.h"
#include "waits/stop.h"

// What one call of the interface takes or gives.
#define MOST_AT_ONCE (1u << 20)

int64_t wb_socket_deadline(int64_t timeout)
{
	return timeout < 0 ? -1 : (int64_t)wasi_clocks_monotonic_clock_now() + timeout;
}

int wb_socket_wait(struct wb_socket *socket, bool to_send, int64_t deadline)
{
	wasi_io_poll_own_pollable_t pollable;
	wasi_io_poll_borrow_pollable_t handle;
	int64_t left = -1, ready;

	if (deadline >= 0) {
		left = deadline - (int64_t)wasi_clocks_monotonic_clock_now();
		if (left <= 0)
			return -EAGAIN;
	}
	pollable = to_send ? wasm_bpf_bpf_sockets_method_socket_subscribe_send(wb_socket_borrow(socket))
			   : wasm_bpf_bpf_sockets_method_socket_subscribe_receive(wb_socket_borrow(socket));
	handle = wasi_io_poll_borrow_pollable(pollable);
	ready = wb_wait(&handle, 1, left);
	wasi_io_poll_pollable_drop_own(pollable);
	if (ready < 0)
		return ready;
	return ready ? 0 : -EAGAIN;
}

static bool would_block(const wasm_bpf_bpf_types_error_code_t *error)
{
	return error->tag == WASM_BPF_BPF_TYPES_ERROR_CODE_WOULD_BLOCK;
}

// As the kernel does for those who write to a peer that is gone.
static int failed_to_send(const struct wb_socket *socket, const wasm_bpf_bpf_types_error_code_t *error, int flags)
{
	int err = wb_fail_code(error);

	if (err == -EPIPE && socket->type == SOCK_STREAM && !(flags & MSG_NOSIGNAL))
		raise(SIGPIPE);
	return err;
}

long wb_socket_send(struct wb_socket *socket, const void *data, size_t size, int flags)
{
	const int64_t deadline = wb_socket_deadline(socket->send_timeout);
	const bool waits = !socket->nonblocking && !(flags & MSG_DONTWAIT), is_stream = socket->type == SOCK_STREAM;
	wasm_bpf_bpf_sockets_error_code_t error;
	size_t sent = 0;
	int err;

	if (flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL))
		return wb_refuse(EOPNOTSUPP, "a guest sends with MSG_DONTWAIT and MSG_NOSIGNAL alone, not with the flags %#x", flags);
	if (socket->domain == AF_PACKET)
		return wb_refuse(EOPNOTSUPP, "a guest's packet sockets send nothing");
	for (;;) {
		size_t part = is_stream && size - sent > MOST_AT_ONCE ? MOST_AT_ONCE : size - sent;
		wasm_bpf_list_u8_t bytes = { (uint8_t *)data + sent, part };
		uint32_t taken = 0;

		if (wasm_bpf_bpf_sockets_method_socket_send(wb_socket_borrow(socket), &bytes, &taken, &error)) {
			sent += taken;
			if (!is_stream || sent >= size)
				return sent;
			continue;
		}
		err = !would_block(&error) ? failed_to_send(socket, &error, flags) : waits ? wb_socket_wait(socket, true, deadline) : -EAGAIN;
		// What was sent before is told first.
		if (err)
			return sent ? (long)sent : err;
	}
}

long wb_socket_receive(struct wb_socket *socket, void *buffer, size_t size, int flags)
{
	const int64_t deadline = wb_socket_deadline(socket->receive_timeout);
	const bool waits = !socket->nonblocking && !(flags & MSG_DONTWAIT), is_stream = socket->type == SOCK_STREAM;
	wasm_bpf_bpf_sockets_error_code_t error;
	wasm_bpf_bpf_sockets_received_t received;
	size_t got = 0, part;
	int err;

	if (flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL | MSG_TRUNC | MSG_WAITALL))
		return wb_refuse(EOPNOTSUPP, "a guest receives with MSG_DONTWAIT, MSG_TRUNC and MSG_WAITALL alone, not with the flags %#x", flags);
	// TCP would throw away what came.
	if (is_stream && (flags & MSG_TRUNC))
		return wb_refuse(EOPNOTSUPP, "MSG_TRUNC is for datagrams and packets");
	err = wb_socket_open(socket);
	if (err || (is_stream && !size))
		return err;
	for (;;) {
		// Without room a datagram is taken all the same; the interface wants to know of a byte.
		part = size - got < MOST_AT_ONCE ? size - got : MOST_AT_ONCE;
		if (wasm_bpf_bpf_sockets_method_socket_receive(wb_socket_borrow(socket), part ? part : 1, &received, &error)) {
			part = received.data.len < part ? received.data.len : part;
			if (part)
				memcpy((char *)buffer + got, received.data.ptr, part);
			wasm_bpf_list_u8_free(&received.data);
			got += part;
			if (!is_stream)
				return flags & MSG_TRUNC ? received.length : got;
			if (!(flags & MSG_WAITALL) || !part || got >= size)
				return got;
			continue;
		}
		err = !would_block(&error) ? wb_fail_code(&error) : waits ? wb_socket_wait(socket, false, deadline) : -EAGAIN;
		if (err)
			return got ? (long)got : err;
	}
}

// Whom a socket is connected to; -ENOTCONN if to none.
static int peer(const struct wb_socket *socket, wasm_bpf_string_t *text)
{
	wasm_bpf_bpf_sockets_error_code_t error;
	wasm_bpf_option_string_t found;

	if (!wasm_bpf_bpf_sockets_method_socket_peer_address(wb_socket_borrow(socket), &found, &error))
		return wb_fail_code(&error);
	if (!found.is_some)
		return -ENOTCONN;
	*text = found.val;
	return 0;
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
	struct wb_socket *socket = wb_socket_at(fd);

	if (!socket)
		return -1;
	WB_CALL;
	return wb_socket_result(wb_socket_send(socket, data, size, flags));
}

ssize_t recv(int fd, void *buffer, size_t size, int flags)
{
	struct wb_socket *socket = wb_socket_at(fd);

	if (!socket)
		return -1;
	WB_CALL;
	return wb_socket_result(wb_socket_receive(socket, buffer, size, flags));
}

// Whether the address is that of the peer: there is no sending to others. A stream's peer is not asked for: the kernel does not look at the address either.
static int check_receiver(const struct wb_socket *socket, const struct sockaddr *address, socklen_t length)
{
	char wanted[WB_ADDRESS_TEXT];
	wasm_bpf_string_t text;
	bool is_peer;
	int err;

	if (socket->domain == AF_PACKET)
		return wb_refuse(EOPNOTSUPP, "a guest's packet sockets send nothing");
	err = wb_socket_text_of(socket, address, length, wanted);
	if (err || socket->type == SOCK_STREAM)
		return err;
	err = peer(socket, &text);
	if (err && err != -ENOTCONN)
		return err;
	is_peer = !err && text.len == strlen(wanted) && !memcmp(text.ptr, wanted, text.len);
	if (!err)
		wasm_bpf_string_free(&text);
	return is_peer ? 0 : wb_refuse(EOPNOTSUPP, "a guest's socket sends to the address that it is connected to, not to %s", wanted);
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *address, socklen_t length)
{
	struct wb_socket *socket = wb_socket_at(fd);
	int err;

	if (!socket)
		return -1;
	WB_CALL;
	err = address ? check_receiver(socket, address, length) : 0;
	return wb_socket_result(err ? err : wb_socket_send(socket, data, size, flags));
}

ssize_t recvfrom(int fd, void *restrict buffer, size_t size, int flags, struct sockaddr *restrict address, socklen_t *restrict length)
{
	struct wb_socket *socket = wb_socket_at(fd);
	wasm_bpf_string_t text;
	long got;
	int err;

	if (!socket)
		return -1;
	WB_CALL;
	if (!address)
		return wb_socket_result(wb_socket_receive(socket, buffer, size, flags));
	if (!length)
		return wb_socket_result(-EFAULT);
	// A stream's peer is known to the program, and the kernel leaves the address alone.
	if (socket->type == SOCK_STREAM) {
		*length = 0;
		return wb_socket_result(wb_socket_receive(socket, buffer, size, flags));
	}
	// Before anything is received: it would be lost.
	err = socket->domain == AF_PACKET ? -ENOTCONN : peer(socket, &text);
	if (err == -ENOTCONN)
		err = wb_refuse(EOPNOTSUPP, "a guest is told who sent something for sockets that are connected alone");
	if (err)
		return wb_socket_result(err);
	got = wb_socket_receive(socket, buffer, size, flags);
	if (got < 0)
		wasm_bpf_string_free(&text);
	else
		err = wb_socket_give_address(&text, address, length);
	return wb_socket_result(err ? err : got);
}
