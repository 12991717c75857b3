// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The request to stop, and alarms, end a read of standard input with EINTR, but not after a handler with SA_RESTART; waits for it end as
// well.
// stopped: INT
// exits: 4
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "check.h"

static volatile sig_atomic_t interrupts, alarms;

static void on_signal(int sig)
{
	if (sig == SIGINT)
		interrupts++;
	else
		alarms++;
}

static void on_restart(int sig)
{
	struct sigaction action = { .sa_handler = on_signal };

	// The next is the last one.
	if (++alarms == 3)
		CHECK_IS(sigaction(sig, &action, NULL), 0);
}

int main(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	char line[16];

	CHECK_IS(sigaction(SIGINT, &action, NULL), 0);
	CHECK_IS(poll(&input, 1, 10), 0);
	puts("ready");
	fflush(stdout);
	errno = 0;
	CHECK_IS(read(STDIN_FILENO, line, sizeof(line)), -1);
	CHECK_IS(errno, EINTR);
	CHECK_IS(interrupts, 1);
	CHECK_IS(poll(&input, 1, 10), 0);

	// As from stdio.
	CHECK_IS(sigaction(SIGALRM, &action, NULL), 0);
	ualarm(20000, 0);
	errno = 0;
	CHECK(!fgets(line, sizeof(line), stdin));
	CHECK_IS(errno, EINTR);
	CHECK_IS(alarms, 1);
	clearerr(stdin);

	// After this one the read goes on, until the alarm for which nobody wants that.
	signal(SIGALRM, on_restart);
	ualarm(20000, 20000);
	errno = 0;
	CHECK_IS(read(STDIN_FILENO, line, sizeof(line)), -1);
	CHECK_IS(errno, EINTR);
	CHECK_IS(alarms, 4);
	return 4;
}
