// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

#include "descriptors.h"
#include "platform/errno.h"
#include "platform/files.h"

int libc_fcntl(int fd, int command, ...) __asm__("fcntl");
int libc_posix_fadvise(int fd, off_t offset, off_t length, int advice) __asm__("posix_fadvise");
int libc_posix_fallocate(int fd, off_t offset, off_t length) __asm__("posix_fallocate");

static int fcntl_ours(int fd, int command, int argument)
{
	const struct wb_operations *operations;
	int result;

	if (!wb_descriptor_any(fd, &operations)) {
		errno = EBADF;
		return -1;
	}
	switch (command) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		// Numbers are given out from WB_FIRST_DESCRIPTOR on, which is above what anyone asks for.
		if (argument < 0 || argument > WB_FIRST_DESCRIPTOR) {
			errno = EINVAL;
			return -1;
		}
		result = wb_descriptor_duplicate(fd);
		if (result >= 0)
			return result;
		errno = -result;
		return -1;
	case F_GETFD:
		return FD_CLOEXEC;
	case F_SETFD:
		// There is no exec that could inherit it.
		return 0;
	case F_GETFL:
		return O_RDWR;
	case F_SETFL:
		// Reads of BPF's descriptors never wait.
		return 0;
	}
	errno = EINVAL;
	return -1;
}

int fcntl(int fd, int command, ...)
{
	int argument = 0, result;
	va_list list;

	if (command == F_DUPFD || command == F_DUPFD_CLOEXEC || command == F_SETFD || command == F_SETFL) {
		va_start(list, command);
		argument = va_arg(list, int);
		va_end(list);
	}
	if (wb_is_ours(fd))
		return fcntl_ours(fd, command, argument);
	switch (command) {
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
		errno = EOPNOTSUPP;
		return -1;
	case F_GETFL:
		result = libc_fcntl(fd, command);
		return result < 0 ? result : wb_open_flags_to_linux(result);
	case F_SETFL:
		return libc_fcntl(fd, command, wb_open_flags_to_libc(argument));
	}
	return libc_fcntl(fd, command, argument);
}

int posix_fadvise(int fd, off_t offset, off_t length, int advice)
{
	return wb_linux_errno(libc_posix_fadvise(fd, offset, length, advice));
}

int posix_fallocate(int fd, off_t offset, off_t length)
{
	return wb_linux_errno(libc_posix_fallocate(fd, offset, length));
}
