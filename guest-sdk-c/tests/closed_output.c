// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Writing where nobody reads any more is SIGPIPE: a handler runs, who ignores it has EPIPE, and others end as on Linux.
// needs: closed
// exits: 141
#include <signal.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "check.h"

static volatile sig_atomic_t handled;

static void on_signal(int sig)
{
	handled = sig;
}

int main(void)
{
	// Until the reader has ended.
	usleep(500000);
	signal(SIGPIPE, on_signal);
	errno = 0;
	CHECK_IS(write(STDOUT_FILENO, "x", 1), -1);
	CHECK_IS(errno, EPIPE);
	CHECK_IS(handled, SIGPIPE);
	signal(SIGPIPE, SIG_IGN);
	errno = 0;
	CHECK_IS(fwrite("x", 1, 1, stdout), 1);
	CHECK_IS(fflush(stdout), EOF);
	CHECK_IS(errno, EPIPE);
	clearerr(stdout);
	signal(SIGPIPE, SIG_DFL);
	puts("x");
	fflush(stdout);
	return 1;
}
