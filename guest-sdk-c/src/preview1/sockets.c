// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Preview 1 has sockets only if they were given to the guest, which hosts of components do not do. The library's own are another matter.
#include "files.h"

static int32_t none(int32_t fd)
{
	return wb_file_at(fd) ? __WASI_ERRNO_NOTSOCK : __WASI_ERRNO_BADF;
}

int32_t P1(sock_accept)(int32_t fd, int32_t flags, int32_t accepted)
{
	(void)flags;
	(void)accepted;
	return none(fd);
}

int32_t P1(sock_recv)(int32_t fd, int32_t parts, int32_t count, int32_t flags, int32_t got, int32_t got_flags)
{
	(void)parts;
	(void)count;
	(void)flags;
	(void)got;
	(void)got_flags;
	return none(fd);
}

int32_t P1(sock_send)(int32_t fd, int32_t parts, int32_t count, int32_t flags, int32_t sent)
{
	(void)parts;
	(void)count;
	(void)flags;
	(void)sent;
	return none(fd);
}

int32_t P1(sock_shutdown)(int32_t fd, int32_t how)
{
	(void)how;
	return none(fd);
}
