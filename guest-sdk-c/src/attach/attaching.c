// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <stdio.h>

#include "../descriptors.h"
#include "attach.h"

bool wb_attaching(struct wb_attaching *it, const struct bpf_program *program)
{
	it->name = program->name;
	it->type = program->attach_type;
	return wb_loaded_program(program, &it->program);
}

bool wb_attaching_fd(struct wb_attaching *it, int fd, enum bpf_attach_type type)
{
	snprintf(it->number, sizeof(it->number), "%d", fd);
	it->name = it->number;
	it->type = type;
	return wb_program_of(fd, &it->program);
}

int wb_attached(struct wb_attaching *it, bool ok, wasm_bpf_bpf_types_error_t *error)
{
	char doing[96];

	if (ok)
		return 0;
	snprintf(doing, sizeof(doing), "attach program '%s'", it->name);
	return wb_fail(error, doing);
}

struct bpf_link *wb_attach_link(struct wb_attaching *it, int result)
{
	return result < 0 ? wb_null(result) : wb_link_new(it->link);
}

int wb_attach_descriptor(struct wb_attaching *it, int result)
{
	if (result < 0) {
		errno = -result;
		return result;
	}
	result = wb_link_descriptor(it->link);
	if (result < 0)
		errno = -result;
	return result;
}
