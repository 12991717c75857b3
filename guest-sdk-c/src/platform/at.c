// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Functions relative to a directory, with Linux' AT_FDCWD and flags.
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/files.h"

int libc_fstatat(int directory, const char *path, struct stat *status, int flags) __asm__("fstatat");
int libc_mkdirat(int directory, const char *path, mode_t mode) __asm__("mkdirat");
int libc_utimensat(int directory, const char *path, const struct timespec times[2], int flags) __asm__("utimensat");
int libc_renameat(int from, const char *old, int to, const char *name) __asm__("renameat");
int libc_linkat(int from, const char *old, int to, const char *name, int flags) __asm__("linkat");
int libc_symlinkat(const char *target, int directory, const char *path) __asm__("symlinkat");
ssize_t libc_readlinkat(int directory, const char *path, char *text, size_t size) __asm__("readlinkat");
int libc_unlinkat(int directory, const char *path, int flags) __asm__("unlinkat");
int libc_faccessat(int directory, const char *path, int mode, int flags) __asm__("faccessat");

static int directory_of(int directory)
{
	return directory == AT_FDCWD ? WB_LIBC_AT_FDCWD : directory;
}

static int follow_flags(int flags)
{
	return (flags & AT_SYMLINK_NOFOLLOW ? WB_LIBC_AT_SYMLINK_NOFOLLOW : 0) |
	       (flags & AT_SYMLINK_FOLLOW ? WB_LIBC_AT_SYMLINK_FOLLOW : 0);
}

int fstatat(int directory, const char *restrict path, struct stat *restrict status, int flags)
{
	return libc_fstatat(directory_of(directory), path, status, follow_flags(flags));
}

int mkdirat(int directory, const char *path, mode_t mode)
{
	return libc_mkdirat(directory_of(directory), path, mode);
}

int utimensat(int directory, const char *path, const struct timespec times[2], int flags)
{
	return libc_utimensat(directory_of(directory), path, times, follow_flags(flags));
}

int renameat(int from, const char *old, int to, const char *name)
{
	return libc_renameat(directory_of(from), old, directory_of(to), name);
}

int linkat(int from, const char *old, int to, const char *name, int flags)
{
	return libc_linkat(directory_of(from), old, directory_of(to), name, follow_flags(flags));
}

int symlinkat(const char *target, int directory, const char *path)
{
	return libc_symlinkat(target, directory_of(directory), path);
}

ssize_t readlinkat(int directory, const char *restrict path, char *restrict text, size_t size)
{
	return libc_readlinkat(directory_of(directory), path, text, size);
}

int unlinkat(int directory, const char *path, int flags)
{
	return libc_unlinkat(directory_of(directory), path, flags & AT_REMOVEDIR ? WB_LIBC_AT_REMOVEDIR : 0);
}

int faccessat(int directory, const char *path, int mode, int flags)
{
	// A guest has one identity: AT_EACCESS makes no difference.
	return libc_faccessat(directory_of(directory), path, mode, flags & AT_SYMLINK_NOFOLLOW ? WB_LIBC_AT_SYMLINK_NOFOLLOW : 0);
}
