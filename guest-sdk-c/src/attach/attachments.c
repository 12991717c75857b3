// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "attachments.h"

#include <stdlib.h>

#include "../descriptors.h"

int64_t wb_program_id(wasm_bpf_bpf_programs_borrow_program_t program)
{
	wasm_bpf_bpf_programs_program_info_t info;
	wasm_bpf_bpf_types_error_code_t code;
	uint32_t id;

	if (!wasm_bpf_bpf_programs_method_program_info(program, &info, &code))
		return wb_fail_code(&code);
	id = info.id;
	wasm_bpf_bpf_programs_program_info_free(&info);
	return id;
}

struct wb_attachment *wb_attachment_keep(struct wb_attachment **list, const struct wb_attaching *it, int program_fd)
{
	int64_t id = wb_program_id(it->program);
	int copy = id < 0 ? (int)id : wb_descriptor_duplicate(program_fd);
	struct wb_attachment *attachment = copy < 0 ? NULL : calloc(1, sizeof(*attachment));

	if (!attachment) {
		wasm_bpf_bpf_links_link_drop_own(it->link);
		if (copy < 0)
			return wb_null(copy);
		wb_descriptor_close(copy);
		return wb_null(-ENOMEM);
	}
	attachment->type = it->type;
	attachment->program_id = id;
	attachment->program_fd = copy;
	attachment->link = it->link;
	while (*list)
		list = &(*list)->next;
	*list = attachment;
	return attachment;
}

int wb_attachment_exchange(struct wb_attachment *attachment, const struct wb_attaching *it, int program_fd)
{
	wasm_bpf_bpf_types_error_t error;
	int64_t id = wb_program_id(it->program);
	int copy = id < 0 ? (int)id : wb_descriptor_duplicate(program_fd);

	if (copy < 0)
		return copy;
	if (!wasm_bpf_bpf_programs_method_program_replace_in(it->program, wasm_bpf_bpf_links_borrow_link(attachment->link), NULL, &error)) {
		wb_descriptor_close(copy);
		return wb_fail(&error, "put a program in the place of another");
	}
	wb_descriptor_close(attachment->program_fd);
	attachment->program_fd = copy;
	attachment->program_id = id;
	return 0;
}

void wb_attachment_drop(struct wb_attachment **list, struct wb_attachment *attachment)
{
	while (*list != attachment)
		list = &(*list)->next;
	*list = attachment->next;
	wasm_bpf_bpf_links_link_drop_own(attachment->link);
	wb_descriptor_close(attachment->program_fd);
	free(attachment);
}
