// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// errno with Linux' numbers. wasi-libc's own errno is a letterbox: what its functions left there is newer than ours, and is taken
// over, translated, when somebody looks.
#include <errno.h>
#include <string.h>

#include "platform/errno.h"

// wasi-libc's.
extern _Thread_local int libc_errno __asm__("errno");

static _Thread_local int linux_errno;

int wb_linux_errno(int number)
{
	// In the order of WASI's numbers.
	static const unsigned char numbers[] = {
		0, E2BIG, EACCES, EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN, EALREADY, EBADF, EBADMSG, EBUSY, ECANCELED, ECHILD,
		ECONNABORTED, ECONNREFUSED, ECONNRESET, EDEADLK, EDESTADDRREQ, EDOM, EDQUOT, EEXIST, EFAULT, EFBIG, EHOSTUNREACH, EIDRM,
		EILSEQ, EINPROGRESS, EINTR, EINVAL, EIO, EISCONN, EISDIR, ELOOP, EMFILE, EMLINK, EMSGSIZE, EMULTIHOP, ENAMETOOLONG,
		ENETDOWN, ENETRESET, ENETUNREACH, ENFILE, ENOBUFS, ENODEV, ENOENT, ENOEXEC, ENOLCK, ENOLINK, ENOMEM, ENOMSG, ENOPROTOOPT,
		ENOSPC, ENOSYS, ENOTCONN, ENOTDIR, ENOTEMPTY, ENOTRECOVERABLE, ENOTSOCK, EOPNOTSUPP, ENOTTY, ENXIO, EOVERFLOW, EOWNERDEAD,
		EPERM, EPIPE, EPROTO, EPROTONOSUPPORT, EPROTOTYPE, ERANGE, EROFS, ESPIPE, ESRCH, ESTALE, ETIMEDOUT, ETXTBSY, EXDEV,
		EPERM /* ENOTCAPABLE: outside of the folders that were given */,
	};

	return number >= 0 && number < (int)sizeof(numbers) ? numbers[number] : EIO;
}

int *wb_errno_location(void)
{
	if (libc_errno) {
		linux_errno = wb_linux_errno(libc_errno);
		libc_errno = 0;
	}
	return &linux_errno;
}

// wasi-libc's perror() and %m ask for the text of its own errno. Programs reach strerror() by another name.
char *__wrap_strerror(int error)
{
	return strerror(error ? wb_linux_errno(error) : linux_errno);
}
