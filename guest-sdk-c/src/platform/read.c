// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// read() and readv(), which stdio reads with, of our descriptors and wasi-libc's.
#include <sys/types.h>
#include <sys/uio.h>

#include "descriptors.h"
#include "errors.h"
#include "globals.h"

ssize_t __real_read(int fd, void *buffer, size_t size);
ssize_t __wrap_read(int fd, void *buffer, size_t size);
ssize_t __real_readv(int fd, const struct iovec *parts, int count);
ssize_t __wrap_readv(int fd, const struct iovec *parts, int count);

ssize_t __wrap_read(int fd, void *buffer, size_t size)
{
	const struct wb_operations *operations;
	long result;
	void *it;

	if (!wb_is_ours(fd))
		return __real_read(fd, buffer, size);
	WB_CALL;
	it = wb_descriptor_any(fd, &operations);
	if (!it) {
		errno = EBADF;
		return -1;
	}
	if (!operations->read) {
		errno = EINVAL;
		return -1;
	}
	result = operations->read(it, buffer, size);
	if (result >= 0)
		return result;
	errno = -result;
	return -1;
}

ssize_t __wrap_readv(int fd, const struct iovec *parts, int count)
{
	ssize_t total = 0;

	if (!wb_is_ours(fd))
		return __real_readv(fd, parts, count);
	for (int i = 0; i < count; i++) {
		ssize_t got;

		if (!parts[i].iov_len)
			continue;
		got = __wrap_read(fd, parts[i].iov_base, parts[i].iov_len);
		// What came before an error or a wait is given first.
		if (got < 0)
			return total ? total : got;
		total += got;
		if ((size_t)got < parts[i].iov_len)
			break;
	}
	return total;
}
