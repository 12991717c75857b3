// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A program that blocks signals and waits for one is given the request to stop so.
// stopped: TERM
// exits: 15
#include <signal.h>

#include <bpf/libbpf.h>

#include "check.h"

int main(void)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	puts("ready");
	fflush(stdout);
	CHECK_IS(sigwait(&set, &sig), 0);
	return sig;
}
