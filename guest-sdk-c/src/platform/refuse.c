// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "platform/refuse.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int wb_cannot(const char *function, const char *why)
{
	// Not with stdio: what was printed and not flushed stays where it is.
	char line[160];

	stpcpy(stpcpy(stpcpy(stpcpy(line, function), ": "), why), "\n");
	write(STDERR_FILENO, line, strlen(line));
	errno = ENOSYS;
	return -1;
}
