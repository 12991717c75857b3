// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// POSIX' functions of file descriptors for the numbers of this library. All others are wasi-libc's: the linker puts these before its own
// (wrap.txt); dup, which WASI does not have, is here alone.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <wasi/api.h>
#include "descriptors.h"
#include "globals.h"
#include "paths.h"
#include "platform/errno.h"

ssize_t __real_read(int fd, void *buffer, size_t length);
ssize_t __real_readv(int fd, const struct iovec *parts, int count);
ssize_t __real_write(int fd, const void *buffer, size_t length);
ssize_t __real_writev(int fd, const struct iovec *parts, int count);
int __real_fcntl(int fd, int command, ...);
int __real_ioctl(int fd, int request, ...);

int __wrap_close(int fd)
{
	if (!wb_is_ours(fd)) {
		// wasi-libc's close() would look among sockets of its own, which programs here do not get.
		int error = __wasi_fd_close(fd);

		wb_forget_path(fd);
		if (error)
			errno = wb_linux_errno(error);
		return error ? -1 : 0;
	}

	WB_CALL;
	return wb_descriptor_close(fd) < 0 ? -1 : 0;
}

// What the kinds' own functions return: a negative errno, or what POSIX says.
static long posix(long result)
{
	if (result >= 0)
		return result;
	errno = -result;
	return -1;
}

// What is behind a number of ours; NULL, with errno EBADF, if it is closed.
static void *ours(int fd, const struct wb_operations **operations)
{
	void *it = wb_descriptor_any(fd, operations);

	if (!it)
		errno = EBADF;
	return it;
}

// Reading waits, also for a file of wasi-libc: BPF programs run meanwhile.
ssize_t __wrap_read(int fd, void *buffer, size_t length)
{
	const struct wb_operations *operations;
	void *it;

	WB_CALL;
	if (!wb_is_ours(fd))
		return __real_read(fd, buffer, length);
	it = ours(fd, &operations);
	if (!it)
		return -1;
	return posix(operations->read ? operations->read(it, buffer, length) : -EINVAL);
}

// wasi-libc's streams read with this.
ssize_t __wrap_readv(int fd, const struct iovec *parts, int count)
{
	ssize_t total = 0;

	if (!wb_is_ours(fd)) {
		WB_CALL;
		return __real_readv(fd, parts, count);
	}
	for (int i = 0; i < count; i++) {
		ssize_t got = __wrap_read(fd, parts[i].iov_base, parts[i].iov_len);

		if (got < 0)
			return total ? total : -1;
		total += got;
		if ((size_t)got < parts[i].iov_len)
			break;
	}
	return total;
}

// Whose output nobody reads any more is ended by a signal, as on Linux: else tools would go on for ever.
static ssize_t written(ssize_t result)
{
	if (result < 0 && errno == EPIPE)
		raise(SIGPIPE);
	return result;
}

ssize_t __wrap_write(int fd, const void *buffer, size_t length)
{
	const struct wb_operations *operations;
	void *it;

	if (!wb_is_ours(fd))
		return written(__real_write(fd, buffer, length));

	WB_CALL;
	it = ours(fd, &operations);
	if (!it)
		return -1;
	return posix(operations->write ? operations->write(it, buffer, length) : -EINVAL);
}

// And write with this.
ssize_t __wrap_writev(int fd, const struct iovec *parts, int count)
{
	ssize_t total = 0;

	if (!wb_is_ours(fd))
		return written(__real_writev(fd, parts, count));
	for (int i = 0; i < count; i++) {
		ssize_t written = __wrap_write(fd, parts[i].iov_base, parts[i].iov_len);

		if (written < 0)
			return total ? total : -1;
		total += written;
		if ((size_t)written < parts[i].iov_len)
			break;
	}
	return total;
}

int __wrap_ioctl(int fd, int request, ...)
{
	const struct wb_operations *operations;
	va_list arguments;
	void *argument, *it;

	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (!wb_is_ours(fd))
		return __real_ioctl(fd, request, argument);

	WB_CALL;
	it = ours(fd, &operations);
	if (!it)
		return -1;
	return posix(operations->ioctl ? operations->ioctl(it, (unsigned int)request, argument) : -ENOTTY);
}

int __wrap_fcntl(int fd, int command, ...)
{
	const struct wb_operations *operations;
	bool *nonblocking;
	va_list arguments;
	int argument;
	void *it;

	va_start(arguments, command);
	argument = va_arg(arguments, int);
	va_end(arguments);
	if (!wb_is_ours(fd)) {
		if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
			return dup(fd);
		// wasi-libc answers these for any number; programs ask whether one is open.
		if ((command == F_GETFD || command == F_SETFD) && __real_fcntl(fd, F_GETFL) < 0)
			return -1;
		return __real_fcntl(fd, command, argument);
	}
	it = ours(fd, &operations);
	if (!it)
		return -1;
	nonblocking = operations->nonblocking ? operations->nonblocking(it) : NULL;
	switch (command) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		return dup(fd);
	case F_GETFD:
		return FD_CLOEXEC;
	case F_GETFL:
		return nonblocking && *nonblocking ? O_RDWR | O_NONBLOCK : O_RDWR;
	case F_SETFL:
		// Of the others nothing blocks but reads of what is there.
		if (nonblocking)
			*nonblocking = argument & O_NONBLOCK;
		return 0;
	case F_SETFD:
		// There is nobody to inherit it.
		return 0;
	default:
		errno = EINVAL;
		return -1;
	}
}

// A folder of wasi-libc is opened anew by its path: programs duplicate those of cgroups. Other files have an offset that both numbers
// would have to share.
static int duplicate_folder(int fd)
{
	const char *path = wb_path_of(fd);
	struct stat about;

	if (fstat(fd, &about) < 0)
		return -1;
	if (!path || !S_ISDIR(about.st_mode)) {
		errno = ENOTSUP;
		return -1;
	}
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int dup(int fd)
{
	int duplicate = wb_is_ours(fd) ? wb_descriptor_duplicate(fd) : duplicate_folder(fd);

	return duplicate < 0 ? -1 : duplicate;
}
