// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Addresses as text, with Linux' numbers of address families.
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>

int libc_inet_pton(int family, const char *text, void *address) __asm__("inet_pton");
const char *libc_inet_ntop(int family, const void *address, char *text, socklen_t size) __asm__("inet_ntop");

// wasi-libc's number; -1 for families that it has no text for.
static int family_of(int family)
{
	switch (family) {
	case AF_INET:
		return 1;
	case AF_INET6:
		return 2;
	}
	errno = EAFNOSUPPORT;
	return -1;
}

int inet_pton(int family, const char *restrict text, void *restrict address)
{
	family = family_of(family);
	return family < 0 ? -1 : libc_inet_pton(family, text, address);
}

const char *inet_ntop(int family, const void *restrict address, char *restrict text, socklen_t size)
{
	family = family_of(family);
	return family < 0 ? NULL : libc_inet_ntop(family, address, text, size);
}

in_addr_t inet_addr(const char *text)
{
	struct in_addr address;

	return inet_aton(text, &address) ? address.s_addr : INADDR_NONE;
}

char *inet_ntoa(struct in_addr address)
{
	static char text[INET_ADDRSTRLEN];
	const unsigned char *bytes = (const unsigned char *)&address;

	snprintf(text, sizeof(text), "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
	return text;
}

// Bits of the part that is the host's, by the class of a network.
static int host_bits(in_addr_t address)
{
	if (IN_CLASSA(address))
		return 24;
	return IN_CLASSB(address) ? 16 : 8;
}

struct in_addr inet_makeaddr(in_addr_t network, in_addr_t host)
{
	int bits = network < 128 ? 24 : network < 65536 ? 16 : network < 16777216 ? 8 : 0;

	return (struct in_addr){ htonl(network << bits | (bits ? host & ((1u << bits) - 1) : 0)) };
}

in_addr_t inet_lnaof(struct in_addr address)
{
	in_addr_t number = ntohl(address.s_addr);

	return number & ((1u << host_bits(number)) - 1);
}

in_addr_t inet_netof(struct in_addr address)
{
	in_addr_t number = ntohl(address.s_addr);

	return number >> host_bits(number);
}
