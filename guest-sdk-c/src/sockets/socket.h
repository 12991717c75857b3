// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sockets by descriptor: what POSIX' functions know of one beside its handle.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sys/socket.h>

#include "wasm_bpf.h"

struct wb_socket {
	wasm_bpf_bpf_sockets_own_socket_t handle; // 0: of a packet socket that is not opened yet
	int domain, type, protocol;
	bool nonblocking, listens, shares_port, bound;
	int64_t receive_timeout, send_timeout; // in nanoseconds; negative: for ever
	char *connecting; // where to, as long as nobody heard how that went
	// What is attached (0: nothing), and own numbers of the programs (-1: none): bind() of a packet socket opens another one and attaches the filter to
	// that, and a program that chooses among sockets cannot be attached before bind().
	wasm_bpf_bpf_links_own_link_t filter, chooser;
	int filter_program, chooser_program;
};

// The socket of a number; NULL with errno EBADF or ENOTSOCK.
struct wb_socket *wb_socket_at(int fd);

// A number for a socket of this kind; the handle is the table's from then on. A negative errno, which errno is too, if there is no memory.
int wb_socket_number(wasm_bpf_bpf_sockets_own_socket_t handle, int domain, int type, int protocol, bool nonblocking);

// Opens a packet socket for all interfaces if bind() did not name one yet. 0, or a negative errno.
int wb_socket_open(struct wb_socket *socket);

// Puts an open socket in place of the one that a packet socket had, with its filter; owns it. 0, or a negative errno, and all is as before.
int wb_socket_take_packets(struct wb_socket *socket, wasm_bpf_bpf_sockets_own_socket_t handle);

static inline wasm_bpf_bpf_sockets_borrow_socket_t wb_socket_borrow(const struct wb_socket *socket)
{
	return wasm_bpf_bpf_sockets_borrow_socket(socket->handle);
}

// Attaches the program of this number to a socket that is open, in place of the one before. 0, or a negative errno.
int wb_socket_attach_filter(struct wb_socket *socket, int program);
int wb_socket_attach_chooser(struct wb_socket *socket, int program);

// SO_ATTACH_BPF and SO_ATTACH_REUSEPORT_EBPF, and the end of them.
int wb_socket_set_filter(struct wb_socket *socket, int program);
int wb_socket_set_chooser(struct wb_socket *socket, int program);
int wb_socket_end_filter(struct wb_socket *socket);
int wb_socket_end_chooser(struct wb_socket *socket);

// When a wait that begins now is to end; negative: never.
int64_t wb_socket_deadline(int64_t timeout);

// Waits until it is worth another try: 0, -EAGAIN when the time is over, -EINTR when a signal's handler ran.
int wb_socket_wait(struct wb_socket *socket, bool to_send, int64_t deadline);

// SO_ERROR: what became of the connection that was begun; 0 if that is not known yet, or was told.
int wb_socket_connect_error(struct wb_socket *socket);

long wb_socket_send(struct wb_socket *socket, const void *data, size_t size, int flags);
long wb_socket_receive(struct wb_socket *socket, void *buffer, size_t size, int flags);

// An address as the interface has it, of the socket's own family. 0, or a negative errno.
#define WB_ADDRESS_TEXT 80
int wb_socket_text_of(const struct wb_socket *socket, const struct sockaddr *address, socklen_t length, char text[WB_ADDRESS_TEXT]);

// Writes an address of the interface into as many bytes as there are, and how long it is; frees the text. `address` may be NULL, for those who do not want it.
// 0, or a negative errno.
int wb_socket_give_address(wasm_bpf_string_t *text, struct sockaddr *address, socklen_t *length);

// POSIX' result of a negative errno.
long wb_socket_result(long result);
