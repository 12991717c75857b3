/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Processes by descriptor, for what takes them: maps that keep a value for each task. */
#ifndef WASM_BPF_SYS_PIDFD_H
#define WASM_BPF_SYS_PIDFD_H

#include <sys/types.h>

#include <wasm-bpf/platform.h>

#define PIDFD_NONBLOCK 04000

WB_BEGIN

/* A descriptor of the process of this id, where the host runs. Whether there is one shows when it is used. */
int pidfd_open(pid_t pid, unsigned int flags);

WB_END

#endif
