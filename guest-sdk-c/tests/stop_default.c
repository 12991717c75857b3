// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Without a handler the request to stop ends the program as a signal does on Linux: at once, without atexit() and without what is in the
// buffers of stdio.
// stopped: INT
// exits: 130
#include <unistd.h>

#include <bpf/libbpf.h>

#include "check.h"

static void at_exit(void)
{
	fprintf(stderr, "this is not to be seen\n");
	_exit(1);
}

int main(void)
{
	atexit(at_exit);
	puts("ready");
	fflush(stdout);
	for (;;)
		sleep(10);
}
