// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Descriptors of sockets.
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "descriptors.h"
#include "errors.h"
#include "globals.h"
#include "sockets/socket.h"

static void release(void *it)
{
	struct wb_socket *socket = it;

	// A link keeps the socket open: it goes first.
	if (socket->filter.__handle)
		wasm_bpf_bpf_links_link_drop_own(socket->filter);
	if (socket->chooser.__handle)
		wasm_bpf_bpf_links_link_drop_own(socket->chooser);
	if (socket->handle.__handle)
		wasm_bpf_bpf_sockets_socket_drop_own(socket->handle);
	if (socket->filter_program >= 0)
		wb_descriptor_close(socket->filter_program);
	if (socket->chooser_program >= 0)
		wb_descriptor_close(socket->chooser_program);
	free(socket->connecting);
	free(socket);
}

// As recv() and send() without flags; read() of no bytes takes no datagram.
static long read_data(void *it, void *buffer, unsigned long length)
{
	return length ? wb_socket_receive(it, buffer, length, 0) : 0;
}

static long write_data(void *it, const void *buffer, unsigned long length)
{
	return wb_socket_send(it, buffer, length, 0);
}

static int control(void *it, unsigned long request, void *argument)
{
	struct wb_socket *socket = it;

	struct ifreq *asked = argument;

	if (request != FIONBIO && request != SIOCGIFINDEX && request != SIOCGIFNAME)
		return wb_refuse(ENOTTY, "a socket has no request %#lx for guests", request);
	if (!argument)
		return -EFAULT;
	if (request == FIONBIO) {
		socket->nonblocking = *(const int *)argument;
		return 0;
	}
	if (request == SIOCGIFNAME)
		return if_indextoname(asked->ifr_ifindex, asked->ifr_name) ? 0 : -ENODEV;
	asked->ifr_name[IFNAMSIZ - 1] = 0;
	asked->ifr_ifindex = if_nametoindex(asked->ifr_name);
	return asked->ifr_ifindex ? 0 : -ENODEV;
}

static wasi_io_poll_own_pollable_t subscribe(void *it)
{
	// One that cannot be opened is ready: what is tried next says why.
	if (wb_socket_open(it))
		return wasi_clocks_monotonic_clock_subscribe_duration(0);
	return wasm_bpf_bpf_sockets_method_socket_subscribe_receive(wb_socket_borrow(it));
}

static wasi_io_poll_own_pollable_t subscribe_write(void *it)
{
	// One that cannot be opened is ready: what is tried next says why.
	if (wb_socket_open(it))
		return wasi_clocks_monotonic_clock_subscribe_duration(0);
	return wasm_bpf_bpf_sockets_method_socket_subscribe_send(wb_socket_borrow(it));
}

static bool *nonblocking(void *it)
{
	return &((struct wb_socket *)it)->nonblocking;
}

static int store_in(void *it, wasm_bpf_bpf_maps_borrow_map_t map, wasm_bpf_list_u8_t *key, wasm_bpf_bpf_maps_update_mode_t mode)
{
	wasm_bpf_bpf_sockets_error_t error;
	int err = wb_socket_open(it);

	if (err)
		return err;
	if (wasm_bpf_bpf_sockets_method_socket_store_in(wb_socket_borrow(it), map, key, mode, &error))
		return 0;
	return wb_fail(&error, "put a socket into a map");
}

static int in_storage(void *it, wasm_bpf_bpf_maps_borrow_map_t map, wasm_bpf_option_list_u8_t *found, wasm_bpf_list_u8_t *value,
		      wasm_bpf_bpf_maps_update_mode_t mode)
{
	const wasm_bpf_bpf_types_error_code_t none = { .tag = WASM_BPF_BPF_TYPES_ERROR_CODE_NOT_FOUND };
	wasm_bpf_bpf_sockets_error_code_t error;
	bool ok, was_there = true;
	int err = wb_socket_open(it);

	if (err)
		return err;
	if (found)
		ok = wasm_bpf_bpf_sockets_method_socket_lookup_in_storage(wb_socket_borrow(it), map, found, &error);
	else if (value)
		ok = wasm_bpf_bpf_sockets_method_socket_update_in_storage(wb_socket_borrow(it), map, value, mode, &error);
	else
		ok = wasm_bpf_bpf_sockets_method_socket_delete_in_storage(wb_socket_borrow(it), map, &was_there, &error);
	if (!ok)
		return wb_fail_code(&error);
	return was_there ? 0 : wb_fail_code(&none);
}

static const struct wb_operations operations = {
	.kind = WB_SOCKET,
	.release = release,
	.read = read_data,
	.write = write_data,
	.ioctl = control,
	.subscribe = subscribe,
	.subscribe_write = subscribe_write,
	.nonblocking = nonblocking,
	.store_in = store_in,
	.in_storage = in_storage,
};

int wb_socket_number(wasm_bpf_bpf_sockets_own_socket_t handle, int domain, int type, int protocol, bool nonblocking)
{
	struct wb_socket *socket = malloc(sizeof(*socket));

	if (!socket) {
		if (handle.__handle)
			wasm_bpf_bpf_sockets_socket_drop_own(handle);
		errno = ENOMEM;
		return -ENOMEM;
	}
	*socket = (struct wb_socket){
		.handle = handle, .domain = domain, .type = type, .protocol = protocol, .nonblocking = nonblocking,
		.receive_timeout = -1, .send_timeout = -1, .filter_program = -1, .chooser_program = -1,
	};
	return wb_descriptor_new(&operations, socket);
}

struct wb_socket *wb_socket_at(int fd)
{
	const struct wb_operations *of = NULL;
	void *it = wb_is_ours(fd) ? wb_descriptor_any(fd, &of) : NULL;

	if (it && of->kind == WB_SOCKET)
		return it;
	errno = it || (!wb_is_ours(fd) && fcntl(fd, F_GETFD) >= 0) ? ENOTSOCK : EBADF;
	return NULL;
}

long wb_socket_result(long result)
{
	if (result >= 0)
		return result;
	errno = -result;
	return -1;
}
