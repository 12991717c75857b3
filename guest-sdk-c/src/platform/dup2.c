// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

// A number that the caller chooses exists among files alone, which cannot be duplicated.
int dup3(int fd, int as, int flags)
{
	if (fcntl(fd, F_GETFD) < 0)
		return -1;
	if (as < 0 || (flags & ~O_CLOEXEC)) {
		errno = as < 0 ? EBADF : EINVAL;
		return -1;
	}
	errno = fd == as ? EINVAL : EOPNOTSUPP;
	return -1;
}

int dup2(int fd, int as)
{
	if (fd == as)
		return fcntl(fd, F_GETFD) < 0 ? -1 : as;
	return dup3(fd, as, 0);
}
