// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Processes by descriptor: the keys of task storages.
#include <sys/pidfd.h>

#include "descriptors.h"
#include "errors.h"

static void release(void *it)
{
	(void)it;
}

static const struct wb_operations operations = { .kind = WB_PROCESS, .release = release };

int pidfd_open(pid_t pid, unsigned int flags)
{
	int fd;

	if (pid <= 0 || flags & ~PIDFD_NONBLOCK) {
		errno = EINVAL;
		return -1;
	}
	fd = wb_descriptor_new(&operations, (void *)(uintptr_t)pid);
	return fd < 0 ? -1 : fd;
}
