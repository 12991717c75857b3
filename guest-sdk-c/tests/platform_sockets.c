// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// needs: netns
// Sockets of the host by POSIX' functions: TCP and UDP with peers, packet sockets of an interface, what cannot be, and names of interfaces.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/ether.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "check.h"

// As POSIX has it: -1, and errno says why.
#define CHECK_FAILS(call, number) \
	do { \
		errno = 0; \
		CHECK_IS(call, -1); \
		CHECK_IS(errno, number); \
	} while (0)

static struct sockaddr_in local(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void test_stream(void)
{
	struct sockaddr_in address = local(0), other;
	socklen_t length = sizeof(address);
	struct timeval soon = { .tv_usec = 50000 };
	struct pollfd polled;
	int listener, client, server, value;
	char text[16];
	FILE *stream;

	listener = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(listener >= 0);
	CHECK_IS(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_IS(listen(listener, 4), 0);
	CHECK_IS(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	CHECK_IS(length, sizeof(address));
	CHECK_IS(address.sin_family, AF_INET);
	CHECK(address.sin_port);
	CHECK_IS(address.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	CHECK_FAILS(getpeername(listener, (struct sockaddr *)&other, &length), ENOTCONN);

	CHECK_IS(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
	CHECK_IS(fcntl(listener, F_GETFL), O_RDWR | O_NONBLOCK);
	CHECK_FAILS(accept(listener, NULL, NULL), EAGAIN);
	value = 0;
	CHECK_IS(ioctl(listener, FIONBIO, &value), 0);
	CHECK_IS(fcntl(listener, F_GETFL), O_RDWR);

	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
	CHECK(client >= 0);
	CHECK_IS(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
	length = sizeof(other);
	server = accept4(listener, (struct sockaddr *)&other, &length, SOCK_CLOEXEC);
	CHECK(server >= 0);
	CHECK_IS(other.sin_family, AF_INET);
	length = sizeof(address);
	CHECK_IS(getsockname(client, (struct sockaddr *)&address, &length), 0);
	CHECK_IS(address.sin_port, other.sin_port);

	CHECK_IS(send(client, "hello", 5, MSG_NOSIGNAL), 5);
	CHECK_IS(recv(server, text, sizeof(text), 0), 5);
	CHECK(!memcmp(text, "hello", 5));
	CHECK_FAILS(recv(server, text, sizeof(text), MSG_DONTWAIT), EAGAIN);
	CHECK_FAILS(recv(server, text, sizeof(text), MSG_PEEK), EOPNOTSUPP);
	CHECK_IS(setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon)), 0);
	CHECK_FAILS(read(server, text, sizeof(text)), EAGAIN);
	polled = (struct pollfd){ .fd = server, .events = POLLIN };
	CHECK_IS(poll(&polled, 1, 10), 0);
	polled.events = POLLIN | POLLOUT;
	CHECK_IS(poll(&polled, 1, 10), 1);
	CHECK_IS(polled.revents, POLLOUT);
	CHECK_IS(write(client, "you", 3), 3);
	CHECK_IS(poll(&polled, 1, 1000), 1);
	CHECK(polled.revents & POLLIN);
	CHECK_IS(recv(server, text, 2, MSG_WAITALL), 2);
	CHECK_IS(read(server, text, sizeof(text)), 1);

	// As a stream of stdio, whose end is the peer's.
	CHECK_IS(write(client, "a line\n", 7), 7);
	CHECK_IS(close(client), 0);
	stream = fdopen(server, "r");
	CHECK(stream);
	CHECK(fgets(text, sizeof(text), stream));
	CHECK_TEXT(text, "a line\n");
	CHECK(!fgets(text, sizeof(text), stream) && feof(stream));
	CHECK_IS(fclose(stream), 0);
	CHECK_FAILS(recv(server, text, 1, 0), EBADF);
	CHECK_IS(close(listener), 0);
}

static void test_refused(void)
{
	struct sockaddr_in address = local(0);
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0), client, error;
	struct pollfd polled;

	// A port that nobody listens at: one that was given out and is free again.
	CHECK_IS(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_IS(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	CHECK_IS(close(listener), 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_FAILS(connect(client, (struct sockaddr *)&address, sizeof(address)), ECONNREFUSED);
	CHECK_IS(close(client), 0);

	client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	error = connect(client, (struct sockaddr *)&address, sizeof(address)) ? errno : 0;
	CHECK(error == EINPROGRESS || error == ECONNREFUSED);
	if (error == EINPROGRESS) {
		polled = (struct pollfd){ .fd = client, .events = POLLOUT };
		CHECK_IS(poll(&polled, 1, 1000), 1);
		length = sizeof(error);
		CHECK_IS(getsockopt(client, SOL_SOCKET, SO_ERROR, &error, &length), 0);
		CHECK_IS(error, ECONNREFUSED);
	}
	CHECK_IS(close(client), 0);
}

static void test_datagrams(void)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int receiver = socket(AF_INET6, SOCK_DGRAM, 0), sender = socket(AF_INET6, SOCK_DGRAM, 0), number;
	socklen_t length = sizeof(address);
	uint64_t cookie = 0;
	char text[8];

	CHECK_IS(bind(receiver, (struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_IS(getsockname(receiver, (struct sockaddr *)&address, &length), 0);
	CHECK_IS(length, sizeof(address));
	CHECK(!memcmp(&address.sin6_addr, &in6addr_loopback, 16));
	CHECK_FAILS(sendto(sender, "x", 1, 0, (struct sockaddr *)&address, length), EOPNOTSUPP);
	CHECK_IS(connect(sender, (struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_IS(send(sender, "0123456789", 10, 0), 10);
	CHECK_IS(sendto(sender, "short", 5, 0, (struct sockaddr *)&address, length), 5);
	CHECK_IS(recv(receiver, text, 4, MSG_TRUNC), 10);
	CHECK(!memcmp(text, "0123", 4));
	CHECK_IS(recv(receiver, text, sizeof(text), 0), 5);

	length = sizeof(number);
	CHECK_IS(getsockopt(sender, SOL_SOCKET, SO_TYPE, &number, &length), 0);
	CHECK_IS(number, SOCK_DGRAM);
	CHECK_IS(getsockopt(sender, SOL_SOCKET, SO_DOMAIN, &number, &length), 0);
	CHECK_IS(number, AF_INET6);
	CHECK_IS(getsockopt(sender, SOL_SOCKET, SO_PROTOCOL, &number, &length), 0);
	CHECK_IS(number, IPPROTO_UDP);
	length = sizeof(cookie);
	CHECK_IS(getsockopt(sender, SOL_SOCKET, SO_COOKIE, &cookie, &length), 0);
	CHECK(cookie);
	CHECK_FAILS(getsockopt(sender, SOL_SOCKET, SO_MARK, &number, &length), ENOPROTOOPT);
	CHECK_FAILS(setsockopt(sender, IPPROTO_TCP, 1, &number, sizeof(number)), ENOPROTOOPT);
	CHECK_FAILS(shutdown(sender, SHUT_WR), EOPNOTSUPP);
	CHECK_IS(close(sender), 0);
	CHECK_IS(close(receiver), 0);
}

// Sees a datagram that goes over lo in a packet socket.
static void test_packets(void)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = if_nametoindex("lo") };
	struct sockaddr_in to = local(9);
	unsigned char packet[256];
	bool is_seen = false;
	int fd, sender;

	CHECK(address.sll_ifindex);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL));
	CHECK(fd >= 0);
	CHECK_IS(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	sender = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK_IS(connect(sender, (struct sockaddr *)&to, sizeof(to)), 0);
	CHECK_IS(send(sender, "needle", 6, 0), 6);
	for (int i = 0; i < 50 && !is_seen; i++) {
		struct pollfd polled = { .fd = fd, .events = POLLIN };
		ssize_t got;

		CHECK(poll(&polled, 1, 1000) == 1);
		got = recv(fd, packet, sizeof(packet), MSG_TRUNC);
		CHECK(got > 0);
		is_seen = got >= ETH_HLEN + 28 + 6 && !memcmp(packet + ETH_HLEN + 28, "needle", 6);
	}
	CHECK(is_seen);
	CHECK_IS(close(sender), 0);
	CHECK_IS(close(fd), 0);

	fd = socket(PF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	CHECK_FAILS(connect(fd, (struct sockaddr *)&to, sizeof(to)), EOPNOTSUPP);
	CHECK_FAILS(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &sender, sizeof(sender)), EBADF);
	CHECK_FAILS(setsockopt(fd, SOL_SOCKET, SO_DETACH_BPF, NULL, 0), ENOENT);
	CHECK_IS(close(fd), 0);
}

static void test_refusals(void)
{
	struct sockaddr_in address = local(1);
	int fd;

	CHECK_FAILS(socket(AF_UNIX, SOCK_STREAM, 0), EAFNOSUPPORT);
	CHECK_FAILS(socket(AF_NETLINK, SOCK_RAW, 0), EAFNOSUPPORT);
	CHECK_FAILS(socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), ESOCKTNOSUPPORT);
	CHECK_FAILS(socket(AF_PACKET, SOCK_DGRAM, 0), ESOCKTNOSUPPORT);
	CHECK_FAILS(socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IP)), EPROTONOSUPPORT);
	CHECK_FAILS(bind(0, (struct sockaddr *)&address, sizeof(address)), ENOTSOCK);
	CHECK_FAILS(bind(12345, (struct sockaddr *)&address, sizeof(address)), EBADF);
	CHECK_FAILS(bind(0x10000 + 100, (struct sockaddr *)&address, sizeof(address)), EBADF);
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	CHECK(fd >= 0);
	address.sin_family = AF_INET6;
	CHECK_FAILS(bind(fd, (struct sockaddr *)&address, sizeof(address)), EINVAL);
	CHECK_FAILS(bind(fd, (struct sockaddr *)&address, 1), EINVAL);
	CHECK_IS(close(fd), 0);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	address.sin_family = AF_INET6;
	CHECK_FAILS(connect(fd, (struct sockaddr *)&address, sizeof(address)), EAFNOSUPPORT);
	CHECK_IS(close(fd), 0);
}

static void test_interfaces(void)
{
	struct if_nameindex *list = if_nameindex();
	bool has_lo = false, has_veth = false;
	struct ifreq asked = { 0 };
	char name[IF_NAMESIZE];
	unsigned int index;
	int fd;

	CHECK(list);
	for (struct if_nameindex *at = list; at->if_index; at++) {
		has_lo |= !strcmp(at->if_name, "lo");
		has_veth |= !strcmp(at->if_name, "veth0");
		CHECK_IS(if_nametoindex(at->if_name), at->if_index);
	}
	CHECK(has_lo && has_veth);
	if_freenameindex(list);
	index = if_nametoindex("veth1");
	CHECK(index);
	CHECK_TEXT(if_indextoname(index, name), "veth1");
	errno = 0;
	CHECK_IS(if_nametoindex("nosuch0"), 0);
	CHECK_IS(errno, ENODEV);
	CHECK_NULL(if_indextoname(54321, name), ENXIO);

	fd = socket(AF_INET, SOCK_DGRAM, 0);
	strcpy(asked.ifr_name, "veth1");
	CHECK_IS(ioctl(fd, SIOCGIFINDEX, &asked), 0);
	CHECK_IS(asked.ifr_ifindex, index);
	strcpy(asked.ifr_name, "nosuch0");
	CHECK_FAILS(ioctl(fd, SIOCGIFINDEX, &asked), ENODEV);
	asked.ifr_ifindex = index;
	CHECK_IS(ioctl(fd, SIOCGIFNAME, &asked), 0);
	CHECK_TEXT(asked.ifr_name, "veth1");
	CHECK_FAILS(ioctl(fd, SIOCGIFMTU, &asked), ENOTTY);
	CHECK_IS(close(fd), 0);
}

static void test_names(void)
{
	struct addrinfo hints = { .ai_family = AF_INET6, .ai_socktype = SOCK_STREAM }, *found;
	struct in_addr address;
	char host[NI_MAXHOST], service[NI_MAXSERV];

	CHECK_IS(AF_INET6, 10);
	CHECK_IS(inet_pton(AF_INET, "192.0.2.1", &address), 1);
	CHECK_TEXT(inet_ntop(AF_INET, &address, host, sizeof(host)), "192.0.2.1");
	CHECK_TEXT(inet_ntoa(address), "192.0.2.1");
	CHECK_IS(inet_addr("192.0.2.1"), address.s_addr);
	CHECK_IS(inet_addr("nonsense"), INADDR_NONE);
	CHECK_IS(inet_netof(address), 0xc00002);
	CHECK_IS(inet_lnaof(address), 1);
	CHECK_IS(inet_makeaddr(0xc00002, 1).s_addr, address.s_addr);
	CHECK_IS(inet_pton(AF_INET, "192.0.2", &address), 0);
	CHECK_FAILS(inet_pton(AF_PACKET, "x", &address), EAFNOSUPPORT);
	CHECK_NULL(inet_ntop(AF_UNIX, &address, host, sizeof(host)), EAFNOSUPPORT);
	CHECK_NULL(inet_ntop(AF_INET, &address, host, 3), ENOSPC);
	CHECK_TEXT(ether_ntoa(ether_aton("0:1b:C:d:e:f0")), "0:1b:c:d:e:f0");
	CHECK(!ether_aton("0:1b:c:d:e"));

	CHECK_IS(getaddrinfo("2001:db8::1", "443", &hints, &found), 0);
	CHECK_IS(found->ai_family, AF_INET6);
	CHECK_IS(found->ai_socktype, SOCK_STREAM);
	CHECK_IS(found->ai_addrlen, sizeof(struct sockaddr_in6));
	CHECK(!found->ai_next);
	CHECK_IS(getnameinfo(found->ai_addr, found->ai_addrlen, host, sizeof(host), service, sizeof(service), NI_NUMERICHOST), 0);
	CHECK_TEXT(host, "2001:db8::1");
	CHECK_TEXT(service, "443");
	CHECK_IS(getnameinfo(found->ai_addr, found->ai_addrlen, host, 4, NULL, 0, 0), EAI_OVERFLOW);
	freeaddrinfo(found);
	CHECK_IS(getaddrinfo("example.org", NULL, NULL, &found), EAI_NONAME);
	CHECK_IS(getaddrinfo(NULL, "https", NULL, &found), EAI_SERVICE);
	CHECK_IS(getaddrinfo(NULL, "80", NULL, &found), 0);
	freeaddrinfo(found);
	CHECK(gethostbyname("127.0.0.1") && gethostbyname("127.0.0.1")->h_addrtype == AF_INET);
	CHECK(!gethostbyname("example.org") && h_errno == HOST_NOT_FOUND);
}

int main(void)
{
	test_names();
	test_stream();
	test_refused();
	test_datagrams();
	test_packets();
	test_refusals();
	test_interfaces();
	return 0;
}
