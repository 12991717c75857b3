// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// open() with Linux' flags, and what remembers paths.
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "paths.h"
#include "platform/files.h"

// wasi-libc's, and what its fopen() opens with.
int libc_open(const char *path, int flags, ...) __asm__("open");
int libc_openat(int directory, const char *path, int flags, ...) __asm__("openat");
int __real___wasilibc_open_nomode(const char *path, int flags);
int __wrap___wasilibc_open_nomode(const char *path, int flags);

static const struct {
	int linux_flag, libc_flag;
} pairs[] = {
	{ O_CREAT, WB_LIBC_CREAT },
	{ O_EXCL, WB_LIBC_EXCL },
	{ O_TRUNC, WB_LIBC_TRUNC },
	{ O_APPEND, WB_LIBC_APPEND },
	{ O_NONBLOCK, WB_LIBC_NONBLOCK },
	{ O_DIRECTORY, WB_LIBC_DIRECTORY },
	{ O_NOFOLLOW, WB_LIBC_NOFOLLOW },
	{ O_DSYNC, WB_LIBC_DSYNC },
};

int wb_open_flags_to_libc(int flags)
{
	int result = 0;

	if ((flags & O_ACCMODE) == O_WRONLY)
		result = WB_LIBC_WRONLY;
	else if ((flags & O_ACCMODE) == O_RDWR)
		result = WB_LIBC_RDONLY | WB_LIBC_WRONLY;
	else
		result = WB_LIBC_RDONLY;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (flags & pairs[i].linux_flag)
			result |= pairs[i].libc_flag;
	if ((flags & O_SYNC) == O_SYNC)
		result |= WB_LIBC_SYNC;
	return result;
}

int wb_open_flags_to_linux(int flags)
{
	int result = 0;

	if (flags & WB_LIBC_WRONLY)
		result = flags & WB_LIBC_RDONLY ? O_RDWR : O_WRONLY;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (flags & pairs[i].libc_flag)
			result |= pairs[i].linux_flag;
	if (flags & WB_LIBC_SYNC)
		result |= O_SYNC;
	return result;
}

// A path that cannot be kept is no reason to fail: who needs it is told that there is none.
static int remember(int fd, const char *path)
{
	int error = errno;

	if (fd >= 0 && wb_remember_path(fd, path))
		wb_forget_path(fd);
	errno = error;
	return fd;
}

static int refuse_temporary(int flags)
{
	if ((flags & O_TMPFILE) != O_TMPFILE)
		return 0;
	errno = EOPNOTSUPP;
	return -1;
}

int open(const char *path, int flags, ...)
{
	if (refuse_temporary(flags))
		return -1;
	return remember(libc_open(path, wb_open_flags_to_libc(flags), 0), path);
}

int creat(const char *path, mode_t mode)
{
	(void)mode;
	return open(path, O_CREAT | O_WRONLY | O_TRUNC);
}

char *wb_path_at(int directory, const char *path)
{
	const char *base = wb_path_of(directory);
	char *joined;

	if (directory == AT_FDCWD || path[0] == '/')
		return strdup(path);
	if (!base)
		return NULL;
	joined = malloc(strlen(base) + 1 + strlen(path) + 1);
	if (joined) {
		strcpy(joined, base);
		strcat(joined, "/");
		strcat(joined, path);
	}
	return joined;
}

int openat(int directory, const char *path, int flags, ...)
{
	char *whole;
	int fd;

	if (directory == AT_FDCWD || path[0] == '/')
		return open(path, flags);
	if (refuse_temporary(flags))
		return -1;
	fd = libc_openat(directory, path, wb_open_flags_to_libc(flags), 0);
	if (fd < 0)
		return fd;
	whole = wb_path_at(directory, path);
	if (whole)
		remember(fd, whole);
	free(whole);
	return fd;
}

int __wrap___wasilibc_open_nomode(const char *path, int flags)
{
	return remember(__real___wasilibc_open_nomode(path, flags), path);
}
