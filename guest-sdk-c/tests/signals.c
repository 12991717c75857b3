// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Signals that the program sends itself: handlers, masks, and those that are not handled. That Ctrl-C comes as one is seen by the tests of programs.
// exits: 143
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "check.h"

static int handled, told;

static void on_signal(int sig)
{
	handled = sig;
}

static void on_info(int sig, siginfo_t *info, void *context)
{
	(void)context;
	CHECK_IS(info->si_signo, sig);
	told = sig;
}

int main(void)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO | (int)SA_RESETHAND }, old;
	const struct timespec moment = { .tv_nsec = 1000000 }, wrong = { .tv_nsec = -1 };
	struct timespec left;
	sigset_t set, pending;

	CHECK(signal(SIGINT, on_signal) == SIG_DFL);
	CHECK_IS(raise(SIGINT), 0);
	CHECK_IS(handled, SIGINT);
	CHECK(signal(SIGINT, SIG_IGN) == on_signal);
	handled = 0;
	CHECK_IS(raise(SIGINT), 0);
	CHECK_IS(handled, 0);

	action.sa_sigaction = on_info;
	CHECK_IS(sigaction(SIGUSR1, &action, NULL), 0);
	CHECK_IS(kill(getpid(), SIGUSR1), 0);
	CHECK_IS(told, SIGUSR1);
	CHECK_IS(sigaction(SIGUSR1, NULL, &old), 0);
	CHECK(old.sa_handler == SIG_DFL);
	errno = 0;
	CHECK_IS(sigaction(SIGKILL, &action, NULL), -1);
	CHECK_IS(errno, EINVAL);
	errno = 0;
	CHECK_IS(kill(1, SIGTERM), -1);
	CHECK_IS(errno, EPERM);

	// A signal that is blocked waits.
	signal(SIGUSR2, on_signal);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	CHECK_IS(sigismember(&set, SIGUSR2), 1);
	CHECK_IS(sigismember(&set, SIGUSR1), 0);
	CHECK_IS(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	raise(SIGUSR2);
	CHECK_IS(handled, 0);
	CHECK_IS(sigpending(&pending), 0);
	CHECK_IS(sigismember(&pending, SIGUSR2), 1);
	CHECK_IS(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
	CHECK_IS(handled, SIGUSR2);

	// Sleeps without a signal are whole.
	CHECK_IS(nanosleep(&moment, &left), 0);
	CHECK_IS(clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL), 0);
	CHECK_IS(usleep(1000), 0);
	CHECK_IS(sleep(0), 0);
	errno = 0;
	CHECK_IS(nanosleep(&wrong, NULL), -1);
	CHECK_IS(errno, EINVAL);

	// Nobody handles it: this ends the program as it does on Linux, with 128 and the number as the exit code.
	raise(SIGTERM);
	return 1;
}
