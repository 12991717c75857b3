/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A guest has no children: what waits for one fails with ECHILD, as Linux has it. */
#ifndef WASM_BPF_SYS_WAIT_H
#define WASM_BPF_SYS_WAIT_H

#include <sys/types.h>

#include <bits/wait_status.h>
#include <signal.h>
#include <wasm-bpf/platform.h>

#define WSTOPPED 2
#define WEXITED 4
#define WCONTINUED 8
#define WNOWAIT 0x1000000

WB_BEGIN

typedef enum { P_ALL = 0, P_PID = 1, P_PGID = 2, P_PIDFD = 3 } idtype_t;

struct rusage;

pid_t wait(int *status);
pid_t waitpid(pid_t pid, int *status, int options);
pid_t wait3(int *status, int options, struct rusage *usage);
pid_t wait4(pid_t pid, int *status, int options, struct rusage *usage);

WB_END

#endif
