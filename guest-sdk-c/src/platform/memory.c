// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <stdlib.h>

#include "platform/errno.h"

int libc_posix_memalign(void **memory, size_t alignment, size_t size) __asm__("posix_memalign");

int posix_memalign(void **memory, size_t alignment, size_t size)
{
	return wb_linux_errno(libc_posix_memalign(memory, alignment, size));
}
