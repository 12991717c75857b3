// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// ioctl() by Linux' numbers.
#include <errno.h>
#include <stdarg.h>
#include <sys/ioctl.h>

#include "descriptors.h"

// wasi-libc's, before which the linker puts the one that knows our descriptors.
int libc_ioctl(int fd, int request, ...) __asm__("ioctl");
#define LIBC_FIONREAD 1
#define LIBC_FIONBIO 2

int ioctl(int fd, unsigned long request, ...)
{
	va_list list;
	void *argument;

	va_start(list, request);
	argument = va_arg(list, void *);
	va_end(list);
	if (wb_is_ours(fd))
		return libc_ioctl(fd, request, argument);
	switch (request) {
	case FIONREAD:
		return libc_ioctl(fd, LIBC_FIONREAD, argument);
	case FIONBIO:
		return libc_ioctl(fd, LIBC_FIONBIO, argument);
	}
	errno = ENOTTY;
	return -1;
}
