// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// write() and writev(), which stdio writes with, of our descriptors and wasi-libc's.
#include <sys/types.h>
#include <sys/uio.h>

#include "descriptors.h"
#include "errors.h"
#include "globals.h"

ssize_t __real_write(int fd, const void *data, size_t size);
ssize_t __wrap_write(int fd, const void *data, size_t size);
ssize_t __real_writev(int fd, const struct iovec *parts, int count);
ssize_t __wrap_writev(int fd, const struct iovec *parts, int count);

ssize_t __wrap_write(int fd, const void *data, size_t size)
{
	const struct wb_operations *operations;
	long result;
	void *it;

	if (!wb_is_ours(fd))
		return __real_write(fd, data, size);
	WB_CALL;
	it = wb_descriptor_any(fd, &operations);
	if (!it) {
		errno = EBADF;
		return -1;
	}
	if (!operations->write) {
		errno = EINVAL;
		return -1;
	}
	result = operations->write(it, data, size);
	if (result >= 0)
		return result;
	errno = -result;
	return -1;
}

ssize_t __wrap_writev(int fd, const struct iovec *parts, int count)
{
	ssize_t total = 0;

	if (!wb_is_ours(fd))
		return __real_writev(fd, parts, count);
	for (int i = 0; i < count; i++) {
		ssize_t written;

		if (!parts[i].iov_len)
			continue;
		written = __wrap_write(fd, parts[i].iov_base, parts[i].iov_len);
		if (written < 0)
			return total ? total : written;
		total += written;
		if ((size_t)written < parts[i].iov_len)
			break;
	}
	return total;
}
