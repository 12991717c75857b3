/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What the status of a process tells, for <stdlib.h> and <sys/wait.h>. */
#ifndef WASM_BPF_BITS_WAIT_STATUS_H
#define WASM_BPF_BITS_WAIT_STATUS_H

#define WNOHANG 1
#define WUNTRACED 2

#define WTERMSIG(status) ((status) & 0x7f)
#define WEXITSTATUS(status) (((status) >> 8) & 0xff)
#define WSTOPSIG(status) WEXITSTATUS(status)
#define WIFEXITED(status) (WTERMSIG(status) == 0)
#define WIFSTOPPED(status) (((status) & 0xff) == 0x7f)
#define WIFSIGNALED(status) (WTERMSIG(status) != 0 && WTERMSIG(status) != 0x7f)
#define WIFCONTINUED(status) ((status) == 0xffff)
#define WCOREDUMP(status) ((status) & 0x80)

#endif
