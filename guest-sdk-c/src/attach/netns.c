// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "../paths.h"
#include "attach.h"

int wb_attach_netns(struct wb_attaching *it, int netns_fd)
{
	wasm_bpf_bpf_types_error_t error;
	wasi_filesystem_types_own_descriptor_t netns;
	wasi_filesystem_types_borrow_descriptor_t borrowed;
	int result = wb_open_path_of(netns_fd, &netns);

	if (result < 0)
		return result;
	borrowed = wasi_filesystem_types_borrow_descriptor(netns);
	result = wb_attached(it, wasm_bpf_bpf_programs_method_program_attach_netns(it->program, &borrowed, &it->link, &error), &error);
	wasi_filesystem_types_descriptor_drop_own(netns);
	return result;
}

struct bpf_link *bpf_program__attach_netns(const struct bpf_program *prog, int netns_fd)
{
	WB_CALL;
	struct wb_attaching it;

	if (!wb_attaching(&it, prog))
		return NULL;
	return wb_attach_link(&it, wb_attach_netns(&it, netns_fd));
}
