/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/*
 * Linux' clocks, and local time. The zone is what TZ says (--env TZ=Europe/Berlin), else /etc/localtime, or where that is a link
 * the name in /etc/timezone. Both need folders that were given (--dir /usr/share/zoneinfo, --dir /etc) but for a TZ that brings its
 * rules with it, such as CET-1CEST,M3.5.0,M10.5.0/3. Without them local time is UTC.
 */
#ifndef WASM_BPF_TIME_H
#define WASM_BPF_TIME_H

#include <wasm-bpf/platform.h>

#define clock wb_hidden_clock
#include_next <time.h>
#undef clock

#undef CLOCK_REALTIME
#undef CLOCK_MONOTONIC
#undef CLOCK_PROCESS_CPUTIME_ID
#undef CLOCK_THREAD_CPUTIME_ID
#define CLOCK_REALTIME 0
#define CLOCK_MONOTONIC 1
#define CLOCK_PROCESS_CPUTIME_ID 2
#define CLOCK_THREAD_CPUTIME_ID 3
#define CLOCK_MONOTONIC_RAW 4
#define CLOCK_REALTIME_COARSE 5
#define CLOCK_MONOTONIC_COARSE 6
#define CLOCK_BOOTTIME 7
#define CLOCK_REALTIME_ALARM 8
#define CLOCK_BOOTTIME_ALARM 9
#define CLOCK_TAI 11
#undef TIMER_ABSTIME
#define TIMER_ABSTIME 1
#undef CLOCKS_PER_SEC
#define CLOCKS_PER_SEC ((clock_t)1000000)

WB_BEGIN

/*
 * The kernel's own clocks, those of bpf_ktime_get_ns and bpf_ktime_get_boot_ns. The times of CPUs that a guest used are not told:
 * EINVAL.
 */
int clock_gettime(clockid_t clock, struct timespec *time) WB_CALLS(wb_clock_gettime);
int clock_getres(clockid_t clock, struct timespec *resolution) WB_CALLS(wb_clock_getres);
/* What the guest used of a CPU is not told: -1. */
clock_t clock(void);

void tzset(void);
extern char *tzname[2];
#if defined(_XOPEN_SOURCE) || defined(_BSD_SOURCE) || defined(_GNU_SOURCE)
extern int daylight;
extern long timezone;
#endif
struct tm *localtime(const time_t *time) WB_CALLS(wb_localtime);
struct tm *localtime_r(const time_t *__restrict time, struct tm *__restrict local) WB_CALLS(wb_localtime_r);
time_t mktime(struct tm *local) WB_CALLS(wb_mktime);
char *ctime(const time_t *time) WB_CALLS(wb_ctime);
char *ctime_r(const time_t *time, char *text) WB_CALLS(wb_ctime_r);
size_t strftime(char *__restrict text, size_t size, const char *__restrict format, const struct tm *__restrict time) WB_CALLS(wb_strftime);

WB_END


#endif
