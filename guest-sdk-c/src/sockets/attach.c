// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs on sockets: filters, and those that choose among sockets which share a port.
#include <errno.h>

#include <wasm-bpf.h>

#include "descriptors.h"
#include "errors.h"
#include "sockets/socket.h"

// A number of our own for a program, in place of another one. 0, or a negative errno.
static int keep_program(int *kept, int program)
{
	int own = wb_descriptor_duplicate(program);

	if (own < 0)
		return own;
	if (*kept >= 0)
		wb_descriptor_close(*kept);
	*kept = own;
	return 0;
}

static void drop_program(int *kept)
{
	if (*kept >= 0)
		wb_descriptor_close(*kept);
	*kept = -1;
}

// The new link came first: there is no moment without a program.
static void keep_link(wasm_bpf_bpf_links_own_link_t *kept, wasm_bpf_bpf_links_own_link_t link)
{
	if (kept->__handle)
		wasm_bpf_bpf_links_link_drop_own(*kept);
	*kept = link;
}

int wb_socket_attach_filter(struct wb_socket *socket, int program)
{
	wasm_bpf_bpf_programs_borrow_program_t handle;
	wasm_bpf_bpf_links_own_link_t link;
	wasm_bpf_bpf_programs_error_t error;

	if (!wb_program_of(program, &handle))
		return -errno;
	if (!wasm_bpf_bpf_programs_method_program_attach_socket_filter(handle, wb_socket_borrow(socket), &link, &error))
		return wb_fail(&error, "attach a program to a socket");
	keep_link(&socket->filter, link);
	return 0;
}

int wb_socket_attach_chooser(struct wb_socket *socket, int program)
{
	wasm_bpf_bpf_programs_borrow_program_t handle;
	wasm_bpf_bpf_links_own_link_t link;
	wasm_bpf_bpf_programs_error_t error;

	if (!wb_program_of(program, &handle))
		return -errno;
	if (!wasm_bpf_bpf_programs_method_program_attach_reuseport(handle, wb_socket_borrow(socket), &link, &error))
		return wb_fail(&error, "attach a program to sockets that share a port");
	keep_link(&socket->chooser, link);
	return 0;
}

// Programs attach before bind(), to miss nothing. A policy may grant the packets of an interface, and not those of all that the kernel would give meanwhile:
// the program then waits for bind().
static int open_for_filter(struct wb_socket *socket)
{
	wasm_bpf_bpf_sockets_own_socket_t handle;
	wasm_bpf_bpf_sockets_error_t error;
	int err;

	// It receives nothing yet.
	if (!socket->protocol)
		return 0;
	if (wasm_bpf_bpf_sockets_static_socket_open_packet(NULL, &handle, &error))
		return wb_socket_take_packets(socket, handle);
	err = wb_fail_silently(&error);
	if (err == -EPERM)
		wb_info("%s; the program is attached once bind() names an interface", wasm_bpf_last_error()->message);
	else
		wb_warn("%s", wasm_bpf_last_error()->message);
	return err == -EPERM ? 0 : err;
}

int wb_socket_set_filter(struct wb_socket *socket, int program)
{
	wasm_bpf_bpf_programs_borrow_program_t handle;
	int err = 0;

	if (!wb_program_of(program, &handle))
		return -errno;
	if (!socket->handle.__handle)
		err = open_for_filter(socket);
	if (!err && socket->handle.__handle)
		err = wb_socket_attach_filter(socket, program);
	if (!err && socket->domain == AF_PACKET)
		err = keep_program(&socket->filter_program, program);
	return err;
}

int wb_socket_end_filter(struct wb_socket *socket)
{
	if (!socket->filter.__handle && socket->filter_program < 0)
		return -ENOENT;
	keep_link(&socket->filter, (wasm_bpf_bpf_links_own_link_t){});
	drop_program(&socket->filter_program);
	return 0;
}

int wb_socket_set_chooser(struct wb_socket *socket, int program)
{
	wasm_bpf_bpf_programs_borrow_program_t handle;

	if (!wb_program_of(program, &handle))
		return -errno;
	if (!socket->shares_port)
		return wb_refuse(EINVAL, "a program chooses among sockets that share their port: SO_REUSEPORT comes first");
	// Programs may come before bind(); the interface knows the group of sockets after it.
	return socket->bound ? wb_socket_attach_chooser(socket, program) : keep_program(&socket->chooser_program, program);
}

int wb_socket_end_chooser(struct wb_socket *socket)
{
	if (!socket->chooser.__handle && socket->chooser_program < 0)
		return -ENOENT;
	keep_link(&socket->chooser, (wasm_bpf_bpf_links_own_link_t){});
	drop_program(&socket->chooser_program);
	return 0;
}
