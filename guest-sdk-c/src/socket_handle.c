// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Descriptors of sockets.
#include <stdint.h>

#include "descriptors.h"

static void release(void *it)
{
	wasm_bpf_bpf_sockets_socket_drop_own((wasm_bpf_bpf_sockets_own_socket_t){ (intptr_t)it });
}

static const struct wb_operations operations = { .kind = WB_SOCKET, .release = release };

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
