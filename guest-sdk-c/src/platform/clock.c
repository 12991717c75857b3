// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Clocks of the kernel by Linux' numbers. WASI's monotonic clock is another one, whose zero the host chose.
#include <errno.h>
#include <stdint.h>
#include <time.h>

#include "wasm_bpf.h"

// wasi-libc's, whose clocks are pointers.
extern const char libc_realtime __asm__("_CLOCK_REALTIME");
extern const char libc_monotonic __asm__("_CLOCK_MONOTONIC");
int libc_clock_gettime(const void *clock, struct timespec *time) __asm__("clock_gettime");
int libc_clock_getres(const void *clock, struct timespec *resolution) __asm__("clock_getres");

int clock_gettime(clockid_t clock, struct timespec *time)
{
	uint64_t ns;

	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_REALTIME_ALARM:
		return libc_clock_gettime(&libc_realtime, time);
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_COARSE:
		ns = wasm_bpf_bpf_features_monotonic_time();
		break;
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		ns = wasm_bpf_bpf_features_boot_time();
		break;
	default:
		errno = EINVAL;
		return -1;
	}
	time->tv_sec = ns / 1000000000;
	time->tv_nsec = ns % 1000000000;
	return 0;
}

int clock_getres(clockid_t clock, struct timespec *resolution)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_REALTIME_ALARM:
		return libc_clock_getres(&libc_realtime, resolution);
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		return libc_clock_getres(&libc_monotonic, resolution);
	}
	errno = EINVAL;
	return -1;
}

clock_t clock(void)
{
	return -1;
}
