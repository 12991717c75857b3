// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <dirent.h>
#include <errno.h>

#include "paths.h"

DIR *libc_opendir(const char *path) __asm__("opendir");

DIR *opendir(const char *path)
{
	DIR *directory = libc_opendir(path);
	int saved = errno;

	if (directory && wb_remember_path(dirfd(directory), path))
		wb_forget_path(dirfd(directory));
	errno = saved;
	return directory;
}
