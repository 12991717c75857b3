// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// POSIX' sockets: TCP, UDP and packet sockets, with programs and maps; what is wrong is refused with Linux' numbers.
// needs: netns
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "check.h"
#include "sockets.skel.h"

// That a call of POSIX fails with this errno.
#define FAILS(call, number) \
	do { \
		errno = 0; \
		long result_ = (call); \
		if (result_ != -1 || errno != (number)) \
			FAIL_CHECK("%s gave %ld with errno %d, not -1 with %s = %d", #call, result_, errno, #number, (number)); \
	} while (0)

static struct sockets_bpf *skel;

static struct sockaddr_in four(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

// A socket that is bound to a port which the kernel chose, and the address of it.
static int bound(int type, struct sockaddr_in *address)
{
	socklen_t length = sizeof(*address);
	int fd = socket(AF_INET, type, 0);

	CHECK(fd > 2);
	*address = four(0);
	CHECK_IS(bind(fd, (struct sockaddr *)address, sizeof(*address)), 0);
	CHECK_IS(getsockname(fd, (struct sockaddr *)address, &length), 0);
	CHECK_IS(length, sizeof(*address));
	CHECK_IS(address->sin_family, AF_INET);
	CHECK_IS(ntohl(address->sin_addr.s_addr), INADDR_LOOPBACK);
	CHECK(address->sin_port);
	return fd;
}

static int connected(int type, const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, type, 0);

	CHECK_IS(connect(fd, (const struct sockaddr *)address, sizeof(*address)), 0);
	return fd;
}

static int option(int fd, int name)
{
	socklen_t length = sizeof(int);
	int value = -1;

	CHECK_IS(getsockopt(fd, SOL_SOCKET, name, &value, &length), 0);
	CHECK_IS(length, sizeof(int));
	return value;
}

static void set_time(int fd, int name, int ms)
{
	struct timeval time = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	CHECK_IS(setsockopt(fd, SOL_SOCKET, name, &time, sizeof(time)), 0);
}

static void wrong_kinds(void)
{
	FAILS(socket(AF_UNIX, SOCK_STREAM, 0), EAFNOSUPPORT);
	FAILS(socket(AF_NETLINK, SOCK_RAW, 0), EAFNOSUPPORT);
	FAILS(socket(-1, SOCK_STREAM, 0), EAFNOSUPPORT);
	FAILS(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), ESOCKTNOSUPPORT);
	FAILS(socket(AF_INET, 99, 0), ESOCKTNOSUPPORT);
	FAILS(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP), EPROTONOSUPPORT);
	FAILS(socket(AF_INET6, SOCK_DGRAM, IPPROTO_TCP), EPROTONOSUPPORT);
	FAILS(socket(AF_PACKET, SOCK_DGRAM, htons(ETH_P_ALL)), ESOCKTNOSUPPORT);
	FAILS(socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IP)), EPROTONOSUPPORT);
}

static void wrong_descriptor(int fd, int error)
{
	struct sockaddr_in address = four(1);
	socklen_t length = sizeof(address);
	int value = 1;
	char byte = 0;

	FAILS(bind(fd, (struct sockaddr *)&address, sizeof(address)), error);
	FAILS(connect(fd, (struct sockaddr *)&address, sizeof(address)), error);
	FAILS(listen(fd, 1), error);
	FAILS(accept(fd, NULL, NULL), error);
	FAILS(getsockname(fd, (struct sockaddr *)&address, &length), error);
	FAILS(getpeername(fd, (struct sockaddr *)&address, &length), error);
	FAILS(send(fd, &byte, 1, 0), error);
	FAILS(recv(fd, &byte, 1, 0), error);
	FAILS(sendto(fd, &byte, 1, 0, NULL, 0), error);
	FAILS(recvfrom(fd, &byte, 1, 0, NULL, NULL), error);
	FAILS(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &value, sizeof(value)), error);
	length = sizeof(value);
	FAILS(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length), error);
	FAILS(shutdown(fd, SHUT_RDWR), error);
}

static void wrong_descriptors(void)
{
	int closed = socket(AF_INET, SOCK_DGRAM, 0);
	char byte;

	CHECK_IS(close(closed), 0);
	wrong_descriptor(-1, EBADF);
	wrong_descriptor(4321, EBADF);
	wrong_descriptor(closed, EBADF);
	wrong_descriptor(0x7fffffff, EBADF);
	wrong_descriptor(STDOUT_FILENO, ENOTSOCK);
	wrong_descriptor(bpf_map__fd(skel->maps.group), ENOTSOCK);
	FAILS(close(closed), EBADF);
	FAILS(read(closed, &byte, 1), EBADF);
	FAILS(write(closed, &byte, 1), EBADF);
	FAILS(fcntl(closed, F_GETFL), EBADF);
}

static void wrong_addresses(void)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr_in address = four(0);
	socklen_t length = -1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	FAILS(bind(fd, NULL, sizeof(address)), EFAULT);
	FAILS(bind(fd, (struct sockaddr *)&address, sizeof(address) - 1), EINVAL);
	FAILS(bind(fd, (struct sockaddr *)&address, 0), EINVAL);
	FAILS(bind(fd, (struct sockaddr *)&address, -1), EINVAL);
	FAILS(bind(fd, (struct sockaddr *)&six, sizeof(six)), EAFNOSUPPORT);
	FAILS(connect(fd, (struct sockaddr *)&six, sizeof(six)), EAFNOSUPPORT);
	address.sin_addr.s_addr = inet_addr("192.0.2.1");
	FAILS(bind(fd, (struct sockaddr *)&address, sizeof(address)), EADDRNOTAVAIL);
	FAILS(getsockname(fd, (struct sockaddr *)&address, &length), EINVAL);
	FAILS(getsockname(fd, NULL, &length), EFAULT);
	FAILS(getsockname(fd, (struct sockaddr *)&address, NULL), EFAULT);
	length = sizeof(address);
	FAILS(getpeername(fd, (struct sockaddr *)&address, &length), ENOTCONN);
	FAILS(accept(fd, NULL, NULL), EINVAL);
	address = four(0);
	CHECK_IS(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	FAILS(bind(fd, (struct sockaddr *)&address, sizeof(address)), EINVAL);
	// What has no room is cut, and the length tells.
	length = 3;
	memset(&address, 0x55, sizeof(address));
	CHECK_IS(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	CHECK_IS(length, sizeof(address));
	CHECK_IS(address.sin_family, AF_INET);
	CHECK_IS(address.sin_addr.s_addr, 0x55555555);
	close(fd);
}

static void options(void)
{
	struct timeval time = { .tv_usec = 1000000 };
	int fd = socket(AF_INET6, SOCK_DGRAM, IPPROTO_UDP), value = 1;
	long long cookie = 0, again = 0;
	socklen_t length = sizeof(value);

	CHECK_IS(option(fd, SO_TYPE), SOCK_DGRAM);
	CHECK_IS(option(fd, SO_DOMAIN), AF_INET6);
	CHECK_IS(option(fd, SO_PROTOCOL), IPPROTO_UDP);
	CHECK_IS(option(fd, SO_ACCEPTCONN), 0);
	CHECK_IS(option(fd, SO_ERROR), 0);
	CHECK_IS(option(fd, SO_REUSEPORT), 0);
	CHECK_IS(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &value, sizeof(value)), 0);
	CHECK_IS(option(fd, SO_REUSEPORT), 1);
	FAILS(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &value, 3), EINVAL);
	FAILS(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, NULL, 4), EFAULT);
	FAILS(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &value, -1), EINVAL);
	FAILS(setsockopt(fd, SOL_SOCKET, 9999, &value, sizeof(value)), ENOPROTOOPT);
	FAILS(setsockopt(fd, IPPROTO_TCP, 1, &value, sizeof(value)), ENOPROTOOPT);
	FAILS(getsockopt(fd, SOL_SOCKET, 9999, &value, &length), ENOPROTOOPT);
	FAILS(getsockopt(fd, IPPROTO_IP, 1, &value, &length), ENOPROTOOPT);
	FAILS(getsockopt(fd, SOL_SOCKET, SO_TYPE, NULL, &length), EFAULT);
	FAILS(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, NULL), EFAULT);
	length = -1;
	FAILS(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &length), EINVAL);

	length = 2;
	value = 0x7f7f7f7f;
	CHECK_IS(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &value, &length), 0);
	CHECK_IS(length, 2);
	CHECK_IS(value, 0x7f7f0000 | AF_INET6);

	value = 1;
	CHECK_IS(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, sizeof(value)), 0);
	value = 0;
	FAILS(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, sizeof(value)), EOPNOTSUPP);
	length = sizeof(value);
	CHECK_IS(getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, &length), 0);
	CHECK_IS(value, 1);

	length = sizeof(cookie);
	CHECK_IS(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length), 0);
	CHECK(cookie);
	CHECK_IS(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &again, &length), 0);
	CHECK_IS(again, cookie);
	length = 4;
	FAILS(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length), EINVAL);

	FAILS(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)), EDOM);
	FAILS(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time) - 1), EINVAL);
	set_time(fd, SO_SNDTIMEO, 1500);
	length = sizeof(time);
	CHECK_IS(getsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, &length), 0);
	CHECK_IS(time.tv_sec * 1000000 + time.tv_usec, 1500000);

	CHECK_IS(fcntl(fd, F_GETFL), O_RDWR);
	CHECK_IS(fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK), 0);
	CHECK_IS(fcntl(fd, F_GETFL), O_RDWR | O_NONBLOCK);
	FAILS(ioctl(fd, 0x8912, NULL), ENOTTY);
	close(fd);
}

static long long now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000LL + time.tv_nsec / 1000000;
}

static int ready(int fd, int events, int timeout)
{
	struct pollfd watched = { .fd = fd, .events = events };

	CHECK(poll(&watched, 1, timeout) >= 0);
	return watched.revents;
}

static volatile sig_atomic_t pipe_signals;

static void on_pipe(int signal)
{
	CHECK_IS(signal, SIGPIPE);
	pipe_signals++;
}

static void tcp(void)
{
	struct sockaddr_in address, other = {};
	socklen_t length = sizeof(other);
	int listener = bound(SOCK_STREAM, &address), client, server;
	char buffer[64] = "";
	long long before;

	FAILS(accept4(listener, NULL, NULL, 1), EINVAL);
	CHECK_IS(listen(listener, 8), 0);
	CHECK_IS(option(listener, SO_ACCEPTCONN), 1);
	CHECK_IS(ready(listener, POLLIN, 0), 0);
	set_time(listener, SO_RCVTIMEO, 60);
	before = now_ms();
	FAILS(accept(listener, NULL, NULL), EAGAIN);
	CHECK(now_ms() - before >= 50);

	client = connected(SOCK_STREAM, &address);
	CHECK_IS(ready(listener, POLLIN, 1000), POLLIN);
	FAILS(accept(listener, (struct sockaddr *)&other, NULL), EFAULT);
	server = accept4(listener, (struct sockaddr *)&other, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
	CHECK(server > 2);
	CHECK_IS(length, sizeof(other));
	CHECK_IS(fcntl(server, F_GETFL), O_RDWR | O_NONBLOCK);
	// Each has the other's address.
	length = sizeof(address);
	CHECK_IS(getsockname(client, (struct sockaddr *)&address, &length), 0);
	CHECK_IS(other.sin_port, address.sin_port);
	CHECK_IS(getpeername(server, (struct sockaddr *)&address, &length), 0);
	CHECK_IS(other.sin_port, address.sin_port);
	CHECK_IS(getpeername(client, (struct sockaddr *)&other, &length), 0);
	CHECK_IS(getsockname(server, (struct sockaddr *)&address, &length), 0);
	CHECK_IS(other.sin_port, address.sin_port);
	FAILS(connect(client, (struct sockaddr *)&other, length), EISCONN);

	FAILS(recv(server, buffer, sizeof(buffer), 0), EAGAIN);
	FAILS(read(server, buffer, sizeof(buffer)), EAGAIN);
	CHECK_IS(ready(server, POLLIN | POLLOUT, 0), POLLOUT);
	CHECK_IS(send(client, "one", 3, MSG_NOSIGNAL), 3);
	CHECK_IS(write(client, "two", 3), 3);
	CHECK_IS(sendto(client, "!", 1, 0, (struct sockaddr *)&other, sizeof(other)), 1);
	CHECK_IS(ready(server, POLLIN | POLLOUT, 1000), POLLIN | POLLOUT);
	CHECK_IS(recv(server, buffer, 0, 0), 0);
	CHECK_IS(recv(server, buffer, 4, 0), 4);
	CHECK_IS(memcmp(buffer, "onet", 4), 0);
	length = sizeof(other);
	CHECK_IS(recvfrom(server, buffer, sizeof(buffer), MSG_DONTWAIT, (struct sockaddr *)&other, &length), 3);
	CHECK_IS(length, 0);
	CHECK_IS(memcmp(buffer, "wo!", 3), 0);

	// Waits for all of it.
	CHECK_IS(fcntl(server, F_SETFL, 0), 0);
	set_time(server, SO_RCVTIMEO, 100);
	CHECK_IS(send(client, "abc", 3, 0), 3);
	CHECK_IS(recv(server, buffer, 5, MSG_WAITALL), 3);
	FAILS(recv(server, buffer, 5, MSG_WAITALL), EAGAIN);
	CHECK_IS(send(client, "abcdef", 6, 0), 6);
	CHECK_IS(recv(server, buffer, 5, MSG_WAITALL), 5);
	CHECK_IS(read(server, buffer, sizeof(buffer)), 1);
	FAILS(recv(server, buffer, 1, MSG_PEEK), EOPNOTSUPP);
	FAILS(recv(server, buffer, 1, MSG_TRUNC), EOPNOTSUPP);
	FAILS(send(client, "x", 1, MSG_OOB), EOPNOTSUPP);
	FAILS(shutdown(client, SHUT_WR), EOPNOTSUPP);
	FAILS(shutdown(client, 3), EINVAL);

	CHECK_IS(close(client), 0);
	CHECK_IS(ready(server, POLLIN, 1000), POLLIN);
	CHECK_IS(recv(server, buffer, sizeof(buffer), 0), 0);
	// The peer answers the first with a reset; then the pipe is broken.
	CHECK_IS(send(server, "x", 1, 0), 1);
	signal(SIGPIPE, on_pipe);
	CHECK_IS(ready(server, POLLIN, 1000), POLLIN);
	if (send(server, "x", 1, MSG_NOSIGNAL) < 0)
		CHECK(errno == ECONNRESET || errno == EPIPE);
	FAILS(send(server, "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_IS(pipe_signals, 0);
	FAILS(write(server, "x", 1), EPIPE);
	CHECK_IS(pipe_signals, 1);
	close(server);
	close(listener);
}

// More than the kernel has room for: what was taken is told, and all of it arrives in order.
static void much(void)
{
	const size_t size = 16 << 20;
	unsigned char *data = malloc(size), *back = malloc(size);
	struct sockaddr_in address;
	int listener = bound(SOCK_STREAM, &address), client, server;
	size_t sent, got = 0;
	ssize_t part;

	CHECK(data && back);
	for (size_t i = 0; i < size; i++)
		data[i] = i * 2654435761u >> 24;
	CHECK_IS(listen(listener, 1), 0);
	client = connected(SOCK_STREAM, &address);
	server = accept(listener, NULL, NULL);
	CHECK(server > 2);
	set_time(client, SO_SNDTIMEO, 100);
	part = send(client, data, size, 0);
	CHECK(part > 0 && (size_t)part < size);
	// The kernel may find more room meanwhile.
	for (sent = part; (part = send(client, data + sent, size - sent, 0)) > 0; sent += part)
		CHECK(sent + part < size);
	CHECK_IS(errno, EAGAIN);
	CHECK_IS(ready(client, POLLOUT, 0), 0);
	CHECK_IS(fcntl(client, F_SETFL, O_NONBLOCK), 0);
	FAILS(send(client, data + sent, size - sent, 0), EAGAIN);
	CHECK_IS(fcntl(server, F_SETFL, O_NONBLOCK), 0);
	while (got < size) {
		part = recv(server, back + got, size - got, 0);
		CHECK(part > 0 || errno == EAGAIN);
		got += part > 0 ? part : 0;
		part = sent < size ? send(client, data + sent, size - sent, 0) : 0;
		CHECK(part >= 0 || errno == EAGAIN);
		sent += part > 0 ? part : 0;
	}
	CHECK_IS(memcmp(data, back, size), 0);
	close(client);
	close(server);
	close(listener);
	free(data);
	free(back);
}

static void connecting(void)
{
	struct sockaddr_in address, nobody;
	int listener = bound(SOCK_STREAM, &address), fd;

	// A port that was just given back.
	close(bound(SOCK_STREAM, &nobody));
	fd = socket(AF_INET, SOCK_STREAM, 0);
	FAILS(connect(fd, (struct sockaddr *)&nobody, sizeof(nobody)), ECONNREFUSED);
	close(fd);

	CHECK_IS(listen(listener, 1), 0);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	FAILS(connect(fd, (struct sockaddr *)&address, sizeof(address)), EINPROGRESS);
	CHECK_IS(ready(fd, POLLOUT, 1000), POLLOUT);
	CHECK_IS(option(fd, SO_ERROR), 0);
	CHECK_IS(send(fd, "x", 1, 0), 1);
	close(fd);

	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	FAILS(connect(fd, (struct sockaddr *)&nobody, sizeof(nobody)), EINPROGRESS);
	CHECK_IS(ready(fd, POLLOUT, 1000), POLLOUT);
	CHECK_IS(option(fd, SO_ERROR), ECONNREFUSED);
	CHECK_IS(option(fd, SO_ERROR), 0);
	close(fd);

	// Nobody answers behind the pair of interfaces.
	nobody.sin_addr.s_addr = inet_addr("10.77.0.2");
	fd = socket(AF_INET, SOCK_STREAM, 0);
	set_time(fd, SO_SNDTIMEO, 100);
	FAILS(connect(fd, (struct sockaddr *)&nobody, sizeof(nobody)), EINPROGRESS);
	CHECK_IS(option(fd, SO_ERROR), 0);
	CHECK_IS(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	FAILS(connect(fd, (struct sockaddr *)&nobody, sizeof(nobody)), EALREADY);
	close(fd);
	close(listener);
}

static void over_ipv6(void)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT }, other = {};
	int listener = socket(AF_INET6, SOCK_STREAM, 0), client = socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP), server;
	socklen_t length = sizeof(other);
	char byte = 0;

	CHECK_IS(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	FAILS(bind(client, (struct sockaddr *)&address, sizeof(struct sockaddr_in)), EINVAL);
	CHECK_IS(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	CHECK_IS(length, sizeof(address));
	CHECK_IS(memcmp(&address.sin6_addr, &in6addr_loopback, 16), 0);
	CHECK_IS(listen(listener, -1), 0);
	CHECK_IS(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
	server = accept(listener, (struct sockaddr *)&other, &length);
	CHECK(server > 2);
	CHECK_IS(other.sin6_family, AF_INET6);
	CHECK_IS(memcmp(&other.sin6_addr, &in6addr_loopback, 16), 0);
	CHECK_IS(getsockname(client, (struct sockaddr *)&address, &length), 0);
	CHECK_IS(other.sin6_port, address.sin6_port);
	CHECK_IS(send(server, "6", 1, 0), 1);
	CHECK_IS(recv(client, &byte, 1, 0), 1);
	CHECK_IS(byte, '6');
	close(client);
	close(server);
	close(listener);
}

static void udp(void)
{
	struct sockaddr_in first_address, second_address, third = four(9), from = {};
	int first = bound(SOCK_DGRAM, &first_address), second = bound(SOCK_DGRAM, &second_address), again;
	socklen_t length = sizeof(from);
	char buffer[64];

	FAILS(listen(first, 1), EOPNOTSUPP);
	FAILS(accept(first, NULL, NULL), EOPNOTSUPP);
	FAILS(send(first, "x", 1, 0), EDESTADDRREQ);
	FAILS(sendto(first, "x", 1, 0, (struct sockaddr *)&second_address, sizeof(second_address)), EOPNOTSUPP);
	CHECK_IS(connect(first, (struct sockaddr *)&second_address, sizeof(second_address)), 0);
	CHECK_IS(send(first, "hello", 5, 0), 5);
	CHECK_IS(sendto(first, "again", 5, 0, (struct sockaddr *)&second_address, sizeof(second_address)), 5);
	FAILS(sendto(first, "x", 1, 0, (struct sockaddr *)&third, sizeof(third)), EOPNOTSUPP);
	FAILS(sendto(first, "x", 1, 0, (struct sockaddr *)&third, 2), EINVAL);
	// Of those that are not connected the sender is not known: and nothing is taken.
	FAILS(recvfrom(second, buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &length), EOPNOTSUPP);
	CHECK_IS(recvfrom(second, buffer, sizeof(buffer), 0, NULL, NULL), 5);
	CHECK_IS(memcmp(buffer, "hello", 5), 0);
	CHECK_IS(connect(second, (struct sockaddr *)&first_address, sizeof(first_address)), 0);
	FAILS(recvfrom(second, buffer, sizeof(buffer), 0, (struct sockaddr *)&from, NULL), EFAULT);
	CHECK_IS(recvfrom(second, buffer, 3, MSG_TRUNC, (struct sockaddr *)&from, &length), 5);
	CHECK_IS(memcmp(buffer, "aga", 3), 0);
	CHECK_IS(length, sizeof(from));
	CHECK_IS(from.sin_port, first_address.sin_port);

	// Each is one: also without bytes, and without room for them.
	CHECK_IS(send(first, "", 0, 0), 0);
	CHECK_IS(write(first, "lost", 4), 4);
	CHECK_IS(send(first, "last", 4, 0), 4);
	CHECK_IS(recv(second, buffer, sizeof(buffer), 0), 0);
	CHECK_IS(recv(second, buffer, 0, MSG_TRUNC), 4);
	CHECK_IS(read(second, buffer, 0), 0);
	CHECK_IS(read(second, buffer, sizeof(buffer)), 4);
	CHECK_IS(memcmp(buffer, "last", 4), 0);
	FAILS(recv(second, buffer, 1, MSG_DONTWAIT), EAGAIN);
	CHECK_IS(ioctl(second, FIONBIO, &(int){ 1 }), 0);
	FAILS(recv(second, buffer, 1, 0), EAGAIN);

	// dup() is another number of the same.
	again = dup(second);
	CHECK(again > 2);
	close(second);
	CHECK_IS(send(first, "dup", 3, 0), 3);
	CHECK_IS(ready(again, POLLIN, 1000), POLLIN);
	CHECK_IS(read(again, buffer, sizeof(buffer)), 3);
	close(again);
	FAILS(send(first, "nobody", 6, 0) < 0 ? -1 : recv(first, buffer, 1, 0), ECONNREFUSED);
	close(first);
}

static unsigned long long interface_bit(const char *name)
{
	return 1ull << if_nametoindex(name);
}

static void knock(void)
{
	struct sockaddr_in address = four(7777);
	int fd = connected(SOCK_DGRAM, &address);

	CHECK_IS(send(fd, "knock knock", 11, 0), 11);
	close(fd);
}

static int bind_packets(int fd, const char *interface, int protocol)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = protocol, .sll_ifindex = interface ? if_nametoindex(interface) : 0 };

	return bind(fd, (struct sockaddr *)&address, sizeof(address));
}

// Takes what there is; how many bytes the first that is a datagram of knock() had, as it was received.
static int knocked(int fd, int flags)
{
	unsigned char buffer[256];
	int length = 0;
	ssize_t got;

	while ((got = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT | flags)) >= 0) {
		// Ethernet, IPv4, UDP.
		if (!length && got >= 14 && buffer[12] == 8 && !buffer[13])
			length = got;
	}
	CHECK_IS(errno, EAGAIN);
	return length;
}

static void packets(void)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = 99999 };
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)), program = bpf_program__fd(skel->progs.on_packet);
	const int whole = 14 + 20 + 8 + 11;
	socklen_t length = sizeof(address);
	char byte = 0;

	CHECK(fd > 2);
	FAILS(bind(fd, NULL, sizeof(address)), EFAULT);
	FAILS(bind(fd, (struct sockaddr *)&address, 8), EINVAL);
	FAILS(bind(fd, (struct sockaddr *)&address, -1), ENODEV);
	FAILS(bind(fd, (struct sockaddr *)&address, sizeof(address)), ENODEV);
	address.sll_family = AF_INET;
	FAILS(bind(fd, (struct sockaddr *)&address, sizeof(address)), EINVAL);
	FAILS(bind_packets(fd, "lo", htons(ETH_P_ARP)), EPROTONOSUPPORT);
	FAILS(getsockname(fd, (struct sockaddr *)&address, &length), EOPNOTSUPP);
	FAILS(getpeername(fd, (struct sockaddr *)&address, &length), EOPNOTSUPP);
	FAILS(connect(fd, (struct sockaddr *)&address, length), EOPNOTSUPP);
	FAILS(listen(fd, 1), EOPNOTSUPP);
	FAILS(send(fd, &byte, 1, 0), EOPNOTSUPP);
	FAILS(sendto(fd, &byte, 1, 0, (struct sockaddr *)&address, length), EOPNOTSUPP);
	FAILS(recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&address, &length), EOPNOTSUPP);
	FAILS(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &program, sizeof(program)), EOPNOTSUPP);
	FAILS(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3), ENOPROTOOPT);

	// Bound to an interface it has the packets of that, going and coming.
	CHECK_IS(bind_packets(fd, "lo", 0), 0);
	knock();
	CHECK_IS(ready(fd, POLLIN, 1000), POLLIN);
	CHECK_IS(knocked(fd, 0), whole);

	// A program has a say; wrong ones are refused, and the one before stays.
	skel->bss->keep = 20;
	CHECK_IS(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program)), 0);
	FAILS(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &program, 3), EINVAL);
	FAILS(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &program, 8), EINVAL);
	FAILS(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, NULL, 4), EFAULT);
	FAILS(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &(int){ -1 }, 4), EBADF);
	FAILS(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &(int){ bpf_map__fd(skel->maps.group) }, 4), EBADF);
	FAILS(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &(int){ bpf_program__fd(skel->progs.other) }, 4), EINVAL);
	knock();
	CHECK_IS(ready(fd, POLLIN, 1000), POLLIN);
	CHECK_IS(knocked(fd, MSG_TRUNC), 20);
	CHECK(skel->bss->seen >= 1);
	CHECK_IS(skel->bss->interfaces, interface_bit("lo"));

	// Bound to another interface, it takes the program along.
	CHECK_IS(bind_packets(fd, "veth0", htons(ETH_P_ALL)), 0);
	skel->bss->seen = skel->bss->interfaces = 0;
	knock();
	CHECK_IS(knocked(fd, 0), 0);
	CHECK_IS(skel->bss->interfaces & interface_bit("lo"), 0);
	CHECK_IS(bind_packets(fd, "lo", 0), 0);
	knock();
	CHECK_IS(ready(fd, POLLIN, 1000), POLLIN);
	CHECK_IS(knocked(fd, 0), 20);
	CHECK(skel->bss->interfaces & interface_bit("lo"));

	CHECK_IS(setsockopt(fd, SOL_SOCKET, SO_DETACH_BPF, NULL, 0), 0);
	FAILS(setsockopt(fd, SOL_SOCKET, SO_DETACH_BPF, &program, sizeof(program)), ENOENT);
	skel->bss->seen = 0;
	knock();
	CHECK_IS(ready(fd, POLLIN, 1000), POLLIN);
	CHECK_IS(knocked(fd, 0), whole);
	CHECK_IS(skel->bss->seen, 0);
	close(fd);
	knock();
	CHECK_IS(skel->bss->seen, 0);
}

// As the kernel has it: all interfaces until bind() says which.
static void packets_of_all(void)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL)), program = bpf_program__fd(skel->progs.on_packet);
	char byte;

	FAILS(recv(fd, &byte, 1, 0), EAGAIN);
	knock();
	CHECK_IS(ready(fd, POLLIN, 1000), POLLIN);
	CHECK(knocked(fd, 0) > 0);
	close(fd);

	skel->bss->seen = skel->bss->interfaces = 0;
	skel->bss->keep = 0;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL));
	CHECK_IS(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program)), 0);
	knock();
	CHECK_IS(knocked(fd, 0), 0);
	CHECK(skel->bss->interfaces & interface_bit("lo"));
	CHECK_IS(bind_packets(fd, "veth0", 0), 0);
	skel->bss->interfaces = 0;
	knock();
	CHECK_IS(skel->bss->interfaces & interface_bit("lo"), 0);
	CHECK_IS(bind_packets(fd, NULL, 0), 0);
	knock();
	CHECK(skel->bss->interfaces & interface_bit("lo"));
	close(fd);

	// Without a protocol it receives nothing until it is bound to one.
	fd = socket(AF_PACKET, SOCK_RAW, 0);
	FAILS(bind_packets(fd, "lo", 0), EPROTONOSUPPORT);
	FAILS(recv(fd, &byte, 1, 0), EINVAL);
	CHECK_IS(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program)), 0);
	skel->bss->seen = 0;
	knock();
	CHECK_IS(skel->bss->seen, 0);
	CHECK_IS(bind_packets(fd, "lo", htons(ETH_P_ALL)), 0);
	knock();
	CHECK(skel->bss->seen >= 1);
	close(fd);
}

// A filter of a UDP socket counts what comes, and takes none of it.
static void filter_of_udp(void)
{
	struct sockaddr_in address;
	int fd = bound(SOCK_DGRAM, &address), sender = connected(SOCK_DGRAM, &address), program = bpf_program__fd(skel->progs.on_packet);
	char buffer[8];

	skel->bss->seen = 0;
	skel->bss->keep = 0;
	FAILS(setsockopt(fd, SOL_SOCKET, SO_DETACH_BPF, &program, sizeof(program)), ENOENT);
	CHECK_IS(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program)), 0);
	CHECK_IS(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program)), 0);
	CHECK_IS(send(sender, "x", 1, 0), 1);
	FAILS(recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT), EAGAIN);
	CHECK_IS(skel->bss->seen, 1);
	CHECK_IS(setsockopt(fd, SOL_SOCKET, SO_DETACH_BPF, &program, sizeof(program)), 0);
	CHECK_IS(send(sender, "y", 1, 0), 1);
	CHECK_IS(recv(fd, buffer, sizeof(buffer), 0), 1);
	CHECK_IS(buffer[0], 'y');
	close(fd);
	close(sender);
}

static int sharing(const struct sockaddr_in *address)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), yes = 1;

	CHECK_IS(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes)), 0);
	if (address)
		CHECK_IS(bind(fd, (const struct sockaddr *)address, sizeof(*address)), 0);
	return fd;
}

// Sends a datagram to each of two sockets in turn, as `choice` says.
static void expect_choice(const struct sockaddr_in *address, const int fds[2])
{
	int sender = connected(SOCK_DGRAM, address);
	char byte;

	skel->bss->choices = 0;
	for (int i = 0; i < 4; i++) {
		skel->bss->choice = i & 1;
		CHECK_IS(send(sender, "x", 1, 0), 1);
		CHECK_IS(recv(fds[i & 1], &byte, 1, 0), 1);
		FAILS(recv(fds[!(i & 1)], &byte, 1, 0), EAGAIN);
	}
	CHECK_IS(skel->bss->choices, 4);
	close(sender);
}

static void shared_port(void)
{
	int by_number = bpf_program__fd(skel->progs.choose_by_number), from_map = bpf_program__fd(skel->progs.choose_from_map);
	int group = bpf_map__fd(skel->maps.group), fds[2], lone;
	struct sockaddr_in address = four(0);
	socklen_t length = sizeof(address);

	lone = bound(SOCK_DGRAM, &address);
	FAILS(setsockopt(lone, SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, &by_number, sizeof(by_number)), EINVAL);
	CHECK_ERR(bpf_map_update_elem(group, &(int){ 0 }, &(long long){ lone }, BPF_ANY), EINVAL);
	close(lone);

	// Before bind().
	address = four(0);
	fds[0] = sharing(NULL);
	FAILS(setsockopt(fds[0], SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, &(int){ -1 }, 4), EBADF);
	FAILS(setsockopt(fds[0], SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, &by_number, 8), EINVAL);
	CHECK_IS(setsockopt(fds[0], SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, &by_number, sizeof(by_number)), 0);
	CHECK_IS(bind(fds[0], (struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_IS(getsockname(fds[0], (struct sockaddr *)&address, &length), 0);
	fds[1] = sharing(&address);
	expect_choice(&address, fds);

	// After it, in place of the other.
	for (int i = 0; i < 2; i++)
		CHECK_IS(bpf_map_update_elem(group, &i, &(long long){ fds[i] }, BPF_NOEXIST), 0);
	CHECK_ERR(bpf_map_update_elem(group, &(int){ 9 }, &(long long){ fds[0] }, BPF_ANY), E2BIG);
	CHECK_ERR(bpf_map_update_elem(group, &(int){ 2 }, &(long long){ -1 }, BPF_ANY), EBADF);
	CHECK_IS(setsockopt(fds[0], SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, &from_map, sizeof(from_map)), 0);
	expect_choice(&address, fds);
	CHECK_IS(setsockopt(fds[0], SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &from_map, sizeof(from_map)), 0);
	FAILS(setsockopt(fds[0], SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &from_map, sizeof(from_map)), ENOENT);
	skel->bss->choices = 0;
	lone = connected(SOCK_DGRAM, &address);
	CHECK_IS(send(lone, "x", 1, 0), 1);
	CHECK_IS(skel->bss->choices, 0);
	close(lone);
	close(fds[0]);
	close(fds[1]);

	// What cannot choose is refused when it is attached: by bind(), if it came before.
	fds[0] = sharing(NULL);
	by_number = bpf_program__fd(skel->progs.other);
	CHECK_IS(setsockopt(fds[0], SOL_SOCKET, SO_ATTACH_REUSEPORT_EBPF, &by_number, sizeof(by_number)), 0);
	address = four(0);
	FAILS(bind(fds[0], (struct sockaddr *)&address, sizeof(address)), EINVAL);
	close(fds[0]);
}

static void in_maps(void)
{
	int notes = bpf_map__fd(skel->maps.notes), connections = bpf_map__fd(skel->maps.connections), listener, client, server, zero = 0;
	unsigned long long value = 0x1122334455667788, found = 0, cookie = 0;
	socklen_t length = sizeof(cookie);
	struct sockaddr_in address;

	listener = bound(SOCK_STREAM, &address);
	CHECK_ERR(bpf_map_lookup_elem(notes, &listener, &found), ENOENT);
	CHECK_IS(bpf_map_update_elem(notes, &listener, &value, BPF_NOEXIST), 0);
	CHECK_ERR(bpf_map_update_elem(notes, &listener, &value, BPF_NOEXIST), EEXIST);
	CHECK_IS(bpf_map_lookup_elem(notes, &listener, &found), 0);
	CHECK(found == value);
	CHECK_IS(bpf_map_delete_elem(notes, &listener), 0);
	CHECK_ERR(bpf_map_delete_elem(notes, &listener), ENOENT);
	CHECK_ERR(bpf_map_lookup_elem(notes, &notes, &found), ENOTSOCK);

	CHECK_IS(listen(listener, 1), 0);
	client = connected(SOCK_STREAM, &address);
	server = accept(listener, NULL, NULL);
	CHECK_IS(bpf_map_update_elem(connections, &zero, &(long long){ server }, BPF_ANY), 0);
	CHECK_IS(getsockopt(server, SOL_SOCKET, SO_COOKIE, &cookie, &length), 0);
	CHECK_IS(bpf_map_lookup_elem(connections, &zero, &found), 0);
	CHECK(cookie == found);
	// The map does not keep it.
	close(server);
	CHECK_ERR(bpf_map_lookup_elem(connections, &zero, &found), ENOENT);
	server = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	CHECK_ERR(bpf_map_update_elem(connections, &zero, &(long long){ server }, BPF_ANY), EOPNOTSUPP);
	close(server);
	close(client);
	close(listener);
}

int main(void)
{
	skel = sockets_bpf__open_and_load();
	CHECK(skel);
	wrong_kinds();
	wrong_descriptors();
	wrong_addresses();
	options();
	tcp();
	much();
	connecting();
	over_ipv6();
	udp();
	packets();
	packets_of_all();
	filter_of_udp();
	shared_port();
	in_maps();
	sockets_bpf__destroy(skel);
	return 0;
}
