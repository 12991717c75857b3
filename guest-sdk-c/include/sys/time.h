/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#ifndef WASM_BPF_SYS_TIME_H
#define WASM_BPF_SYS_TIME_H

#include <wasm-bpf/platform.h>
#include_next <sys/time.h>

#define ITIMER_REAL 0
#define ITIMER_VIRTUAL 1
#define ITIMER_PROF 2

struct itimerval {
	struct timeval it_interval;
	struct timeval it_value;
};

WB_BEGIN

/* ITIMER_REAL alone: what a guest used of a CPU is not told. EINVAL for the others. */
int getitimer(int which, struct itimerval *value);
int setitimer(int which, const struct itimerval *__restrict value, struct itimerval *__restrict old);

WB_END

#endif
