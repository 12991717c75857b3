/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#ifndef WASM_BPF_SYS_STAT_H
#define WASM_BPF_SYS_STAT_H

#include <wasm-bpf/platform.h>
#include_next <sys/stat.h>

/* Linux' kinds of files. wasi-libc has them too, but for the one of pipes. */
#undef S_IFIFO
#define S_IFIFO 0010000
#undef S_ISFIFO
#define S_ISFIFO(mode) (((mode) & S_IFMT) == S_IFIFO)

WB_BEGIN

/*
 * What stat() and its kin tell is what WASI has: kind, size and times. st_dev and st_ino are numbers that tell files apart, and not
 * the kernel's: no cgroup ID and no namespace's number; rights and owners are not told.
 */
int fstatat(int directory, const char *__restrict path, struct stat *__restrict status, int flags) WB_CALLS(wb_fstatat);
int mkdirat(int directory, const char *path, mode_t mode) WB_CALLS(wb_mkdirat);
int utimensat(int directory, const char *path, const struct timespec times[2], int flags) WB_CALLS(wb_utimensat);
/* Files get the rights that the host's own file mask leaves; a guest has none of its own. */
mode_t umask(mode_t mask);

WB_END

#endif
