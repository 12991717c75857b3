/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* poll(2) by Linux' numbers, for descriptors of buffers, sockets, timers and standard input. Files are always ready. */
#ifndef WASM_BPF_POLL_H
#define WASM_BPF_POLL_H

#include <signal.h>
#include <time.h>

#include <wasm-bpf/platform.h>

#define POLLIN 0x001
#define POLLPRI 0x002
#define POLLOUT 0x004
#define POLLERR 0x008
#define POLLHUP 0x010
#define POLLNVAL 0x020
#define POLLRDNORM 0x040
#define POLLRDBAND 0x080
#define POLLWRNORM 0x100
#define POLLWRBAND 0x200
#define POLLMSG 0x400
#define POLLRDHUP 0x2000

typedef unsigned long nfds_t;

struct pollfd {
	int fd;
	short events;
	short revents;
};

WB_BEGIN

int poll(struct pollfd *fds, nfds_t count, int timeout);
#ifdef _GNU_SOURCE
int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask);
#endif

WB_END

#endif
