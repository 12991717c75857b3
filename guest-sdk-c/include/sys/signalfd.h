/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Signals as records of a descriptor, for read(), poll() and epoll: those that are blocked, as on Linux. */
#ifndef WASM_BPF_SYS_SIGNALFD_H
#define WASM_BPF_SYS_SIGNALFD_H

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>

#include <wasm-bpf/platform.h>

#define SFD_CLOEXEC O_CLOEXEC
#define SFD_NONBLOCK O_NONBLOCK

struct signalfd_siginfo {
	uint32_t ssi_signo;
	int32_t ssi_errno;
	int32_t ssi_code;
	uint32_t ssi_pid;
	uint32_t ssi_uid;
	int32_t ssi_fd;
	uint32_t ssi_tid;
	uint32_t ssi_band;
	uint32_t ssi_overrun;
	uint32_t ssi_trapno;
	int32_t ssi_status;
	int32_t ssi_int;
	uint64_t ssi_ptr;
	uint64_t ssi_utime;
	uint64_t ssi_stime;
	uint64_t ssi_addr;
	uint16_t ssi_addr_lsb;
	uint16_t __pad2;
	int32_t ssi_syscall;
	uint64_t ssi_call_addr;
	uint32_t ssi_arch;
	uint8_t __pad[28];
};

WB_BEGIN

/* A new descriptor for -1, else other signals for the one there is. */
int signalfd(int fd, const sigset_t *mask, int flags);

WB_END

#endif
