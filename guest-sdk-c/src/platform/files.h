// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// wasi-libc's numbers for files, where <fcntl.h> has Linux'.
#pragma once

#include <wasi/api.h>

#define WB_LIBC_APPEND __WASI_FDFLAGS_APPEND
#define WB_LIBC_DSYNC __WASI_FDFLAGS_DSYNC
#define WB_LIBC_NONBLOCK __WASI_FDFLAGS_NONBLOCK
#define WB_LIBC_SYNC __WASI_FDFLAGS_SYNC
#define WB_LIBC_CREAT (__WASI_OFLAGS_CREAT << 12)
#define WB_LIBC_DIRECTORY (__WASI_OFLAGS_DIRECTORY << 12)
#define WB_LIBC_EXCL (__WASI_OFLAGS_EXCL << 12)
#define WB_LIBC_TRUNC (__WASI_OFLAGS_TRUNC << 12)
#define WB_LIBC_NOFOLLOW 0x01000000
#define WB_LIBC_RDONLY 0x04000000
#define WB_LIBC_WRONLY 0x10000000
#define WB_LIBC_AT_FDCWD (-2)
#define WB_LIBC_AT_SYMLINK_NOFOLLOW 1
#define WB_LIBC_AT_SYMLINK_FOLLOW 2
#define WB_LIBC_AT_REMOVEDIR 4

int wb_open_flags_to_libc(int flags);
int wb_open_flags_to_linux(int flags);

// A path relative to a directory's fd, in memory of its own; NULL if the directory's path is not known or there is no memory.
char *wb_path_at(int directory, const char *path);

// Opens a file to read. Not by open(), which remembers paths: most programs have no other use for that.
int __real___wasilibc_open_nomode(const char *path, int flags);

static inline int wb_open_to_read(const char *path)
{
	return __real___wasilibc_open_nomode(path, WB_LIBC_RDONLY);
}
