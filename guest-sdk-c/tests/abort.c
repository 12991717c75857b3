// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// abort() runs the handler of SIGABRT and ends the program as on Linux.
// exits: 134
// says: handled
#include <signal.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "check.h"

static void on_abort(int sig)
{
	CHECK_IS(sig, SIGABRT);
	CHECK_IS(write(STDOUT_FILENO, "handled\n", 8), 8);
}

int main(void)
{
	signal(SIGABRT, on_abort);
	abort();
}
