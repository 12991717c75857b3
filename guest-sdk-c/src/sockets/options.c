// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// setsockopt() and getsockopt().
#include <netinet/in.h>
#include <string.h>
#include <sys/time.h>

#include "errors.h"
#include "globals.h"
#include "sockets/socket.h"

static int unknown(int level, int name)
{
	return wb_refuse(ENOPROTOOPT, "a guest's sockets have no option %d of level %d", name, level);
}

// The kernel takes the numbers of programs at their exact size, other numbers also from larger ones.
static int number_of(const void *value, socklen_t length, bool exactly, int *number)
{
	if (length < sizeof(*number) || (exactly && length != sizeof(*number)))
		return wb_refuse(EINVAL, "the value of this option of a socket has %zu bytes, not %u", sizeof(*number), length);
	memcpy(number, value, sizeof(*number));
	return 0;
}

static int share_port(struct wb_socket *socket, bool share)
{
	wasm_bpf_bpf_sockets_error_t error;

	if (socket->domain == AF_PACKET)
		return wb_refuse(EOPNOTSUPP, "packet sockets have no ports to share");
	if (!wasm_bpf_bpf_sockets_method_socket_set_reuse_port(wb_socket_borrow(socket), share, &error))
		return wb_fail(&error, "set SO_REUSEPORT");
	socket->shares_port = share;
	return 0;
}

static int set_timeout(int64_t *timeout, const void *value, socklen_t length)
{
	const int64_t most = 100ll * 366 * 86400;
	struct timeval time;

	if (length < sizeof(time))
		return wb_refuse(EINVAL, "a struct timeval has %zu bytes, not %u", sizeof(time), length);
	memcpy(&time, value, sizeof(time));
	if (time.tv_usec < 0 || time.tv_usec >= 1000000)
		return -EDOM;
	// No time is for ever; a negative one is over at once. What is longer than 100 years is not to overflow.
	if (time.tv_sec < 0)
		*timeout = 0;
	else if (!time.tv_sec && !time.tv_usec)
		*timeout = -1;
	else
		*timeout = (time.tv_sec < most ? time.tv_sec : most) * 1000000000ll + time.tv_usec * 1000;
	return 0;
}

static int set_option(struct wb_socket *socket, int name, const void *value, socklen_t length)
{
	int number, err;

	switch (name) {
	case SO_RCVTIMEO:
		return set_timeout(&socket->receive_timeout, value, length);
	case SO_SNDTIMEO:
		return set_timeout(&socket->send_timeout, value, length);
	case SO_ATTACH_BPF:
		err = number_of(value, length, true, &number);
		return err ? err : wb_socket_set_filter(socket, number);
	case SO_ATTACH_REUSEPORT_EBPF:
		err = number_of(value, length, true, &number);
		return err ? err : wb_socket_set_chooser(socket, number);
	case SO_DETACH_BPF:
		return wb_socket_end_filter(socket);
	case SO_DETACH_REUSEPORT_BPF:
		return wb_socket_end_chooser(socket);
	case SO_REUSEPORT:
		err = number_of(value, length, false, &number);
		return err ? err : share_port(socket, number);
	default:
		return unknown(SOL_SOCKET, name);
	}
}

// IPv6 sockets of the interface are for IPv6 alone.
static int set_v6only(const void *value, socklen_t length)
{
	int number, err = number_of(value, length, false, &number);

	if (err || number)
		return err;
	return wb_refuse(EOPNOTSUPP, "a guest's IPv6 sockets are for IPv6 alone: IPV6_V6ONLY cannot be 0");
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
	struct wb_socket *socket = wb_socket_at(fd);
	int err;

	if (!socket)
		return -1;
	// Detaching has no value, and programs give none.
	if ((int)length < 0)
		return wb_socket_result(-EINVAL);
	if (!value && length)
		return wb_socket_result(-EFAULT);
	WB_CALL;
	if (level == SOL_SOCKET)
		err = set_option(socket, name, value, length);
	else if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY && socket->domain == AF_INET6)
		err = set_v6only(value, length);
	else
		err = unknown(level, name);
	return wb_socket_result(err);
}

static int give(void *value, socklen_t *length, const void *from, socklen_t size)
{
	if (*length < size)
		size = *length;
	memcpy(value, from, size);
	*length = size;
	return 0;
}

static int give_number(void *value, socklen_t *length, int number)
{
	return give(value, length, &number, sizeof(number));
}

static int give_timeout(void *value, socklen_t *length, int64_t timeout)
{
	struct timeval time = {};

	if (timeout > 0) {
		time.tv_sec = timeout / 1000000000;
		time.tv_usec = timeout % 1000000000 / 1000;
	}
	return give(value, length, &time, sizeof(time));
}

static int give_cookie(struct wb_socket *socket, void *value, socklen_t *length)
{
	wasm_bpf_bpf_sockets_error_code_t error;
	uint64_t cookie;
	int err;

	if (*length < sizeof(cookie))
		return wb_refuse(EINVAL, "a socket's cookie has %zu bytes, not %u", sizeof(cookie), *length);
	err = wb_socket_open(socket);
	if (err)
		return err;
	if (!wasm_bpf_bpf_sockets_method_socket_cookie(wb_socket_borrow(socket), &cookie, &error))
		return wb_fail_code(&error);
	return give(value, length, &cookie, sizeof(cookie));
}

static int get_option(struct wb_socket *socket, int name, void *value, socklen_t *length)
{
	switch (name) {
	case SO_TYPE:
		return give_number(value, length, socket->type);
	case SO_DOMAIN:
		return give_number(value, length, socket->domain);
	case SO_PROTOCOL:
		return give_number(value, length, socket->protocol);
	case SO_ACCEPTCONN:
		return give_number(value, length, socket->listens);
	case SO_REUSEPORT:
		return give_number(value, length, socket->shares_port);
	case SO_ERROR:
		return give_number(value, length, wb_socket_connect_error(socket));
	case SO_RCVTIMEO:
		return give_timeout(value, length, socket->receive_timeout);
	case SO_SNDTIMEO:
		return give_timeout(value, length, socket->send_timeout);
	case SO_COOKIE:
		return give_cookie(socket, value, length);
	default:
		return unknown(SOL_SOCKET, name);
	}
}

int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict length)
{
	struct wb_socket *socket = wb_socket_at(fd);
	int err;

	if (!socket)
		return -1;
	if (!value || !length)
		return wb_socket_result(-EFAULT);
	if ((int)*length < 0)
		return wb_socket_result(-EINVAL);
	WB_CALL;
	if (level == SOL_SOCKET)
		err = get_option(socket, name, value, length);
	else if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY && socket->domain == AF_INET6)
		err = give_number(value, length, 1);
	else
		err = unknown(level, name);
	return wb_socket_result(err);
}
