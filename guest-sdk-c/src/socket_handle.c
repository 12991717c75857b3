// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Descriptors of sockets.
#include <stdint.h>

#include "descriptors.h"
#include "errors.h"

static void release(void *it)
{
	wasm_bpf_bpf_sockets_socket_drop_own((wasm_bpf_bpf_sockets_own_socket_t){ (intptr_t)it });
}

static wasm_bpf_bpf_sockets_borrow_socket_t borrow(void *it)
{
	return wasm_bpf_bpf_sockets_borrow_socket((wasm_bpf_bpf_sockets_own_socket_t){ (intptr_t)it });
}

static int store_in(void *it, wasm_bpf_bpf_maps_borrow_map_t map, wasm_bpf_list_u8_t *key, wasm_bpf_bpf_maps_update_mode_t mode)
{
	wasm_bpf_bpf_sockets_error_t error;

	return wasm_bpf_bpf_sockets_method_socket_store_in(borrow(it), map, key, mode, &error) ? 0 : wb_fail(&error, "put a socket into a map");
}

static int in_storage(void *it, wasm_bpf_bpf_maps_borrow_map_t map, wasm_bpf_option_list_u8_t *found, wasm_bpf_list_u8_t *value,
		      wasm_bpf_bpf_maps_update_mode_t mode)
{
	wasm_bpf_bpf_sockets_error_code_t error;
	bool ok, was_there = true;

	if (found)
		ok = wasm_bpf_bpf_sockets_method_socket_lookup_in_storage(borrow(it), map, found, &error);
	else if (value)
		ok = wasm_bpf_bpf_sockets_method_socket_update_in_storage(borrow(it), map, value, mode, &error);
	else
		ok = wasm_bpf_bpf_sockets_method_socket_delete_in_storage(borrow(it), map, &was_there, &error);
	if (!ok)
		return wb_fail_code(&error);
	if (!was_there)
		errno = ENOENT;
	return was_there ? 0 : -ENOENT;
}

static const struct wb_operations operations = { .kind = WB_SOCKET, .release = release, .store_in = store_in, .in_storage = in_storage };

int wb_socket_descriptor(wasm_bpf_bpf_sockets_own_socket_t handle)
{
	return wb_descriptor_new(&operations, (void *)(intptr_t)handle.__handle);
}

// Handles are never 0: the first of a table is 1.
bool wb_socket_of(int fd, wasm_bpf_bpf_sockets_borrow_socket_t *handle)
{
	void *it = wb_descriptor_get(fd, WB_SOCKET);

	if (it)
		*handle = wasm_bpf_bpf_sockets_borrow_socket((wasm_bpf_bpf_sockets_own_socket_t){ (intptr_t)it });
	return it;
}
