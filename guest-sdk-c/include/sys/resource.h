/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/*
 * Limits of resources. Those of the host's process are the host's: BPF memory is counted there, and it sees to RLIMIT_MEMLOCK
 * itself. What a guest sets is remembered and told again; a limit that it did not set is infinite.
 */
#ifndef WASM_BPF_SYS_RESOURCE_H
#define WASM_BPF_SYS_RESOURCE_H

#include <sys/types.h>
#include <sys/time.h>

#include <wasm-bpf/platform.h>

WB_BEGIN

typedef unsigned long long rlim_t;

struct rlimit {
	rlim_t rlim_cur;
	rlim_t rlim_max;
};

struct rusage {
	struct timeval ru_utime;
	struct timeval ru_stime;
	long ru_maxrss;
	long ru_ixrss;
	long ru_idrss;
	long ru_isrss;
	long ru_minflt;
	long ru_majflt;
	long ru_nswap;
	long ru_inblock;
	long ru_oublock;
	long ru_msgsnd;
	long ru_msgrcv;
	long ru_nsignals;
	long ru_nvcsw;
	long ru_nivcsw;
};

#define RLIM_INFINITY (~0ULL)
#define RLIM_SAVED_CUR RLIM_INFINITY
#define RLIM_SAVED_MAX RLIM_INFINITY

#define RLIMIT_CPU 0
#define RLIMIT_FSIZE 1
#define RLIMIT_DATA 2
#define RLIMIT_STACK 3
#define RLIMIT_CORE 4
#define RLIMIT_RSS 5
#define RLIMIT_NPROC 6
#define RLIMIT_NOFILE 7
#define RLIMIT_MEMLOCK 8
#define RLIMIT_AS 9
#define RLIMIT_LOCKS 10
#define RLIMIT_SIGPENDING 11
#define RLIMIT_MSGQUEUE 12
#define RLIMIT_NICE 13
#define RLIMIT_RTPRIO 14
#define RLIMIT_RTTIME 15
#define RLIM_NLIMITS 16
#define RLIMIT_NLIMITS RLIM_NLIMITS

#define RUSAGE_SELF 0
#define RUSAGE_CHILDREN (-1)
#define RUSAGE_THREAD 1

#define PRIO_MIN (-20)
#define PRIO_MAX 20
#define PRIO_PROCESS 0
#define PRIO_PGRP 1
#define PRIO_USER 2

/* Remembered, without another effect. */
int setrlimit(int resource, const struct rlimit *limit);
int getrlimit(int resource, struct rlimit *limit);
/* Of the guest's own process, 0 or getpid(): ESRCH else. */
int prlimit(pid_t pid, int resource, const struct rlimit *limit, struct rlimit *old);
/* What a guest used, no one tells it: ENOSYS. */
int getrusage(int who, struct rusage *usage);
/* 0 for the guest's own process, which cannot be changed: EPERM. */
int getpriority(int which, id_t who);
int setpriority(int which, id_t who, int priority);

WB_END

#ifdef _GNU_SOURCE
#define prlimit64 prlimit
#endif
#if defined(_GNU_SOURCE) || defined(_LARGEFILE64_SOURCE)
#define rlimit64 rlimit
#define getrlimit64 getrlimit
#define setrlimit64 setrlimit
#define rlim64_t rlim_t
#endif

#endif
