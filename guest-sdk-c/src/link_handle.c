// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Descriptors of links.
#include <stdint.h>

#include "descriptors.h"

static void release(void *it)
{
	wasm_bpf_bpf_links_link_drop_own((wasm_bpf_bpf_links_own_link_t){ (intptr_t)it });
}

static const struct wb_operations operations = { .kind = WB_LINK, .release = release };

int wb_link_descriptor(wasm_bpf_bpf_links_own_link_t handle)
{
	return wb_descriptor_new(&operations, (void *)(intptr_t)handle.__handle);
}

// Handles are never 0: the first of a table is 1.
bool wb_link_of(int fd, wasm_bpf_bpf_links_borrow_link_t *handle)
{
	void *it = wb_descriptor_get(fd, WB_LINK);

	if (it)
		*handle = wasm_bpf_bpf_links_borrow_link((wasm_bpf_bpf_links_own_link_t){ (intptr_t)it });
	return it;
}
