/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/*
 * Memory of the guest, and maps as memory of it: mmap() of a map's descriptor gives a copy that is kept as skel->bss is (written
 * back before calls and waits, read anew after them).
 */
#ifndef WASM_BPF_SYS_MMAN_H
#define WASM_BPF_SYS_MMAN_H

#include <stddef.h>
#include <sys/types.h>

#include <wasm-bpf/platform.h>

#define MAP_FAILED ((void *)-1)

#define MAP_SHARED 0x01
#define MAP_PRIVATE 0x02
#define MAP_SHARED_VALIDATE 0x03
#define MAP_TYPE 0x0f
#define MAP_FIXED 0x10
#define MAP_ANONYMOUS 0x20
#define MAP_ANON MAP_ANONYMOUS
#define MAP_FILE 0
#define MAP_GROWSDOWN 0x0100
#define MAP_LOCKED 0x2000
#define MAP_NORESERVE 0x4000
#define MAP_POPULATE 0x8000
#define MAP_NONBLOCK 0x10000
#define MAP_STACK 0x20000
#define MAP_HUGETLB 0x40000
#define MAP_FIXED_NOREPLACE 0x100000

#define PROT_NONE 0
#define PROT_READ 1
#define PROT_WRITE 2
#define PROT_EXEC 4

#define MS_ASYNC 1
#define MS_INVALIDATE 2
#define MS_SYNC 4

#define MCL_CURRENT 1
#define MCL_FUTURE 2
#define MCL_ONFAULT 4

#define MADV_NORMAL 0
#define MADV_RANDOM 1
#define MADV_SEQUENTIAL 2
#define MADV_WILLNEED 3
#define MADV_DONTNEED 4

WB_BEGIN

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset);
int munmap(void *address, size_t length);
/* A guest's memory cannot be protected: only PROT_READ | PROT_WRITE, which it has; ENOTSUP else. */
int mprotect(void *address, size_t length, int protection);
int msync(void *address, size_t length, int flags);
/* A guest's memory is the host's to keep: 0, without effect. */
int madvise(void *address, size_t length, int advice);
int mlock(const void *address, size_t length);
int munlock(const void *address, size_t length);
int mlockall(int flags);
int munlockall(void);

WB_END

#ifdef _GNU_SOURCE
#define mmap64 mmap
#endif

#endif
