// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Who ignores SIGINT is not disturbed by the request to stop, and sleeps on; nor is who blocked it, until it is let through.
// stopped: INT
// exits: 7
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <wasm-bpf.h>

#include "check.h"

static volatile sig_atomic_t handled;

static void on_signal(int sig)
{
	handled = sig;
}

static long long ms_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

int main(void)
{
	long long begin = ms_now();
	sigset_t set, pending;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	signal(SIGINT, on_signal);
	sigprocmask(SIG_BLOCK, &set, NULL);
	puts("ready");
	fflush(stdout);
	CHECK_IS(usleep(900000), 0);
	CHECK(ms_now() - begin >= 900);
	CHECK(wasm_bpf_stop_requested());
	CHECK_IS(handled, 0);
	CHECK_IS(sigpending(&pending), 0);
	CHECK_IS(sigismember(&pending, SIGINT), 1);
	signal(SIGINT, SIG_IGN);
	CHECK_IS(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
	CHECK_IS(handled, 0);
	CHECK_IS(usleep(1000), 0);
	exit(7);
}
