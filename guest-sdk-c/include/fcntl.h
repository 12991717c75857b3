/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/*
 * Linux' flags of open(): events carry them, and programs compare. The functions translate them for wasi-libc. open() remembers
 * paths, so that an fd can be used as a cgroup, a network namespace or a binary.
 */
#ifndef WASM_BPF_FCNTL_H
#define WASM_BPF_FCNTL_H

#include <wasm-bpf/platform.h>
#include_next <fcntl.h>

#undef O_RDONLY
#undef O_WRONLY
#undef O_RDWR
#undef O_ACCMODE
#undef O_CREAT
#undef O_EXCL
#undef O_NOCTTY
#undef O_TRUNC
#undef O_APPEND
#undef O_NONBLOCK
#undef O_NDELAY
#undef O_DSYNC
#undef O_SYNC
#undef O_RSYNC
#undef O_DIRECTORY
#undef O_NOFOLLOW
#undef O_CLOEXEC
#undef O_EXEC
#undef O_SEARCH
#undef O_TTY_INIT
#define O_RDONLY 00
#define O_WRONLY 01
#define O_RDWR 02
#define O_ACCMODE 03
#define O_CREAT 0100
#define O_EXCL 0200
#define O_NOCTTY 0400
#define O_TRUNC 01000
#define O_APPEND 02000
#define O_NONBLOCK 04000
#define O_NDELAY O_NONBLOCK
#define O_DSYNC 010000
#define O_SYNC 04010000
#define O_RSYNC O_SYNC
#define O_DIRECTORY 0200000
#define O_NOFOLLOW 0400000
#define O_CLOEXEC 02000000
#define O_ASYNC 020000
#define O_LARGEFILE 0
#define O_DIRECT 040000
#define O_NOATIME 01000000
#define O_PATH 010000000
#define O_TMPFILE 020200000
#define O_TTY_INIT 0

#undef F_DUPFD
#undef F_DUPFD_CLOEXEC
#define F_DUPFD 0
#define F_DUPFD_CLOEXEC 1030

#undef AT_FDCWD
#define AT_FDCWD (-100)
#undef AT_SYMLINK_NOFOLLOW
#undef AT_REMOVEDIR
#undef AT_SYMLINK_FOLLOW
#undef AT_EACCESS
#define AT_SYMLINK_NOFOLLOW 0x100
#define AT_EACCESS 0x200
#define AT_REMOVEDIR 0x200
#define AT_SYMLINK_FOLLOW 0x400

WB_BEGIN

int open(const char *path, int flags, ...) WB_CALLS(wb_open);
int openat(int directory, const char *path, int flags, ...) WB_CALLS(wb_openat);
int creat(const char *path, mode_t mode) WB_CALLS(wb_creat);
/* Duplicates descriptors of BPF objects, and sets and tells flags of all. Files cannot be duplicated: ENOTSUP. */
int fcntl(int fd, int command, ...) WB_CALLS(wb_fcntl);
int posix_fadvise(int fd, off_t offset, off_t length, int advice) WB_CALLS(wb_posix_fadvise);
int posix_fallocate(int fd, off_t offset, off_t length) WB_CALLS(wb_posix_fallocate);

WB_END

#ifdef _GNU_SOURCE
#define open64 open
#define openat64 openat
#define creat64 creat
#endif

#endif
