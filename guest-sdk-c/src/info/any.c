// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <bpf/bpf.h>

#include "../descriptors.h"
#include "../errors.h"

int bpf_obj_get_info_by_fd(int fd, void *info, __u32 *length)
{
	const struct wb_operations *operations = NULL;

	wb_descriptor_any(fd, &operations);
	switch (operations ? operations->kind : WB_FREE) {
	case WB_MAP:
		return bpf_map_get_info_by_fd(fd, info, length);
	case WB_PROGRAM:
		return bpf_prog_get_info_by_fd(fd, info, length);
	case WB_LINK:
		return bpf_link_get_info_by_fd(fd, info, length);
	case WB_BTF:
		return bpf_btf_get_info_by_fd(fd, info, length);
	default:
		return wb_refuse(EBADF, "%d is no descriptor of a program, a map, a link or types", fd);
	}
}
