// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "descriptors.h"
#include "errors.h"
#include "globals.h"
#include "paths.h"

int __real_close(int fd);
int __wrap_close(int fd);

int __wrap_close(int fd)
{
	int err;

	if (!wb_is_ours(fd)) {
		wb_forget_path(fd);
		return __real_close(fd);
	}
	WB_CALL;
	err = wb_descriptor_close(fd);
	if (!err)
		return 0;
	errno = -err;
	return -1;
}
