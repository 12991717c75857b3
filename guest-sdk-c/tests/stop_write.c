// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The request to stop ends a write to a full pipe, whose result says how much was written; the program's exit code is its own.
// needs: full
// stopped: INT
// exits: 5
#include <fcntl.h>
#include <poll.h>
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
	struct sigaction action = { .sa_handler = on_signal };
	struct pollfd output = { .fd = STDOUT_FILENO, .events = POLLOUT };
	static char data[1 << 20];
	ssize_t written;

	CHECK_IS(sigaction(SIGINT, &action, NULL), 0);
	CHECK_IS(poll(&output, 1, 0), 1);
	fprintf(stderr, "ready\n");
	memset(data, 'x', sizeof(data));
	written = write(STDOUT_FILENO, data, sizeof(data));
	CHECK(written >= 4096 && written < (ssize_t)sizeof(data));
	CHECK_IS(handled, SIGINT);
	CHECK_IS(poll(&output, 1, 10), 0);
	CHECK_IS(fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK), 0);
	errno = 0;
	CHECK_IS(write(STDOUT_FILENO, data, 1), -1);
	CHECK_IS(errno, EAGAIN);
	// What nobody reads does not keep the program from its end.
	return 5;
}
