/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Timers as descriptors, for read(), poll() and epoll. The host's timers count in milliseconds: they may go off so much later. */
#ifndef WASM_BPF_SYS_TIMERFD_H
#define WASM_BPF_SYS_TIMERFD_H

#include <fcntl.h>
#include <time.h>

#include <wasm-bpf/platform.h>

#define TFD_CLOEXEC O_CLOEXEC
#define TFD_NONBLOCK O_NONBLOCK
#define TFD_TIMER_ABSTIME 1
#define TFD_TIMER_CANCEL_ON_SET 2

WB_BEGIN

int timerfd_create(clockid_t clock, int flags);
/* TFD_TIMER_CANCEL_ON_SET is not for guests: EINVAL. */
int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old);
int timerfd_gettime(int fd, struct itimerspec *value);

WB_END

#endif
