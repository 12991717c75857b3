// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// fcntl() with Linux' flags of open().
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

#include "descriptors.h"
#include "platform/errno.h"
#include "platform/files.h"

// wasi-libc's, before which the linker puts the one that knows our descriptors.
int libc_fcntl(int fd, int command, ...) __asm__("fcntl");
int libc_posix_fadvise(int fd, off_t offset, off_t length, int advice) __asm__("posix_fadvise");
int libc_posix_fallocate(int fd, off_t offset, off_t length) __asm__("posix_fallocate");

int fcntl(int fd, int command, ...)
{
	int argument = 0, result;
	va_list list;

	if (command == F_DUPFD || command == F_DUPFD_CLOEXEC || command == F_SETFD || command == F_SETFL) {
		va_start(list, command);
		argument = va_arg(list, int);
		va_end(list);
	}
	// Numbers of ours are above any that is asked for; those of files are not given by choice.
	if ((command == F_DUPFD || command == F_DUPFD_CLOEXEC) && (argument < 0 || argument > WB_FIRST_DESCRIPTOR)) {
		errno = EINVAL;
		return -1;
	}
	if (!wb_is_ours(fd) && command == F_SETFL)
		argument = wb_open_flags_to_libc(argument);
	// wasi-libc answers for numbers that are not open, too.
	if (!wb_is_ours(fd) && (command == F_GETFD || command == F_SETFD) && libc_fcntl(fd, F_GETFL) < 0)
		return -1;
	result = libc_fcntl(fd, command, argument);
	return !wb_is_ours(fd) && command == F_GETFL && result >= 0 ? wb_open_flags_to_linux(result) : result;
}

int posix_fadvise(int fd, off_t offset, off_t length, int advice)
{
	return wb_linux_errno(libc_posix_fadvise(fd, offset, length, advice));
}

int posix_fallocate(int fd, off_t offset, off_t length)
{
	return wb_linux_errno(libc_posix_fallocate(fd, offset, length));
}
