/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#ifndef WASM_BPF_SCHED_H
#define WASM_BPF_SCHED_H

#include <stddef.h>
#include <string.h>

#include <wasm-bpf/platform.h>
#include_next <sched.h>

#define SCHED_OTHER 0
#define SCHED_FIFO 1
#define SCHED_RR 2
#define SCHED_BATCH 3
#define SCHED_IDLE 5
#define SCHED_DEADLINE 6

#define CLONE_NEWTIME 0x00000080
#define CLONE_VM 0x00000100
#define CLONE_FS 0x00000200
#define CLONE_FILES 0x00000400
#define CLONE_THREAD 0x00010000
#define CLONE_NEWNS 0x00020000
#define CLONE_NEWCGROUP 0x02000000
#define CLONE_NEWUTS 0x04000000
#define CLONE_NEWIPC 0x08000000
#define CLONE_NEWUSER 0x10000000
#define CLONE_NEWPID 0x20000000
#define CLONE_NEWNET 0x40000000

#ifdef _GNU_SOURCE
#define CPU_SETSIZE 1024
typedef struct cpu_set_t {
	unsigned long __bits[CPU_SETSIZE / (8 * sizeof(unsigned long))];
} cpu_set_t;

#define CPU_ALLOC_SIZE(count) ((((count) + 8 * sizeof(unsigned long) - 1) / (8 * sizeof(unsigned long))) * sizeof(unsigned long))
#define CPU_ZERO_S(size, set) memset(set, 0, size)
#define __CPU_FITS(cpu, size) ((size_t)(cpu) / 8 < (size))
#define __CPU_WORD(cpu, set) ((set)->__bits[(cpu) / (8 * sizeof(unsigned long))])
#define __CPU_BIT(cpu) (1UL << ((cpu) % (8 * sizeof(unsigned long))))
#define CPU_SET_S(cpu, size, set) (__CPU_FITS(cpu, size) ? (void)(__CPU_WORD(cpu, set) |= __CPU_BIT(cpu)) : (void)0)
#define CPU_CLR_S(cpu, size, set) (__CPU_FITS(cpu, size) ? (void)(__CPU_WORD(cpu, set) &= ~__CPU_BIT(cpu)) : (void)0)
#define CPU_ISSET_S(cpu, size, set) (__CPU_FITS(cpu, size) ? (__CPU_WORD(cpu, set) & __CPU_BIT(cpu)) != 0 : 0)
#define CPU_ZERO(set) CPU_ZERO_S(sizeof(cpu_set_t), set)
#define CPU_SET(cpu, set) CPU_SET_S(cpu, sizeof(cpu_set_t), set)
#define CPU_CLR(cpu, set) CPU_CLR_S(cpu, sizeof(cpu_set_t), set)
#define CPU_ISSET(cpu, set) CPU_ISSET_S(cpu, sizeof(cpu_set_t), set)
#define CPU_COUNT_S(size, set) wb_cpu_count(size, set)
#define CPU_COUNT(set) wb_cpu_count(sizeof(cpu_set_t), set)
#define CPU_EQUAL(a, b) (!memcmp(a, b, sizeof(cpu_set_t)))
#define CPU_ALLOC(count) ((cpu_set_t *)calloc(1, CPU_ALLOC_SIZE(count)))
#define CPU_FREE(set) free(set)
#endif

WB_BEGIN

#ifdef _GNU_SOURCE
int wb_cpu_count(size_t size, const cpu_set_t *set);
/* The CPUs that are online, for the guest itself. */
int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set);
int sched_setaffinity(pid_t pid, size_t size, const cpu_set_t *set)
	WB_CANNOT("a WebAssembly guest does not choose its CPU: fails with ENOSYS");
int sched_getcpu(void) WB_CANNOT("a WebAssembly guest does not know its CPU: fails with ENOSYS");
int setns(int fd, int type) WB_CANNOT("a WebAssembly guest stays in the host's namespaces: fails with ENOSYS");
int unshare(int flags) WB_CANNOT("a WebAssembly guest stays in the host's namespaces: fails with ENOSYS");
#endif

WB_END

#endif
