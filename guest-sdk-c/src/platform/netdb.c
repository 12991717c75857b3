// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int wb_h_errno;

// One answer, with its address behind it.
struct answer {
	struct addrinfo info;
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} address;
};

static bool parse_port(const char *text, unsigned int *port)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	*port = number;
	return *text >= '0' && *text <= '9' && !*end && number <= 65535;
}

static bool fill(struct answer *answer, const char *host, unsigned int port, int family, bool is_passive)
{
	memset(&answer->address, 0, sizeof(answer->address));
	answer->info.ai_family = family;
	answer->info.ai_addr = &answer->address.any;
	answer->address.any.sa_family = family;
	if (family == AF_INET) {
		answer->info.ai_addrlen = sizeof(answer->address.in);
		answer->address.in.sin_port = htons(port);
		if (!host)
			answer->address.in.sin_addr.s_addr = htonl(is_passive ? INADDR_ANY : INADDR_LOOPBACK);
		return !host || inet_pton(AF_INET, host, &answer->address.in.sin_addr) == 1;
	}
	answer->info.ai_addrlen = sizeof(answer->address.in6);
	answer->address.in6.sin6_port = htons(port);
	if (!host)
		answer->address.in6.sin6_addr = is_passive ? in6addr_any : in6addr_loopback;
	return !host || inet_pton(AF_INET6, host, &answer->address.in6.sin6_addr) == 1;
}

int getaddrinfo(const char *restrict host, const char *restrict service, const struct addrinfo *restrict hints,
		struct addrinfo **restrict result)
{
	static const struct addrinfo none;
	static const struct {
		int type, protocol;
	} kinds[] = { { SOCK_STREAM, IPPROTO_TCP }, { SOCK_DGRAM, IPPROTO_UDP } };
	static const int families[] = { AF_INET6, AF_INET };
	struct addrinfo **end = result;
	unsigned int port = 0;

	*result = NULL;
	if (!hints)
		hints = &none;
	if (!host && !service)
		return EAI_NONAME;
	if (hints->ai_family != AF_UNSPEC && hints->ai_family != AF_INET && hints->ai_family != AF_INET6)
		return EAI_FAMILY;
	if (service && !parse_port(service, &port))
		return hints->ai_flags & AI_NUMERICSERV ? EAI_NONAME : EAI_SERVICE;
	for (int family = 0; family < 2; family++) {
		for (int kind = 0; kind < 2; kind++) {
			struct answer *answer;

			if ((hints->ai_family != AF_UNSPEC && hints->ai_family != families[family]) ||
			    (hints->ai_socktype && hints->ai_socktype != kinds[kind].type) ||
			    (hints->ai_protocol && hints->ai_protocol != kinds[kind].protocol))
				continue;
			answer = calloc(1, sizeof(*answer));
			if (!answer) {
				freeaddrinfo(*result);
				return EAI_MEMORY;
			}
			if (!fill(answer, host, port, families[family], hints->ai_flags & AI_PASSIVE)) {
				free(answer);
				continue;
			}
			answer->info.ai_socktype = kinds[kind].type;
			answer->info.ai_protocol = kinds[kind].protocol;
			*end = &answer->info;
			end = &answer->info.ai_next;
		}
	}
	return *result ? 0 : EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *list)
{
	while (list) {
		struct addrinfo *next = list->ai_next;

		free(list);
		list = next;
	}
}

int getnameinfo(const struct sockaddr *restrict address, socklen_t length, char *restrict host, socklen_t host_size,
		char *restrict service, socklen_t service_size, int flags)
{
	const struct sockaddr_in *in = (const void *)address;
	const struct sockaddr_in6 *in6 = (const void *)address;
	bool is_ipv4 = address->sa_family == AF_INET;

	if (!is_ipv4 && address->sa_family != AF_INET6)
		return EAI_FAMILY;
	if (length < (is_ipv4 ? sizeof(*in) : sizeof(*in6)))
		return EAI_FAMILY;
	if (flags & NI_NAMEREQD)
		return EAI_NONAME;
	if (host && host_size && !inet_ntop(address->sa_family, is_ipv4 ? (const void *)&in->sin_addr : &in6->sin6_addr, host, host_size))
		return EAI_OVERFLOW;
	if (service && service_size &&
	    (socklen_t)snprintf(service, service_size, "%u", ntohs(is_ipv4 ? in->sin_port : in6->sin6_port)) >= service_size)
		return EAI_OVERFLOW;
	return 0;
}

struct hostent *gethostbyname(const char *name)
{
	static struct in_addr address;
	static char text[INET_ADDRSTRLEN], *aliases[1], *addresses[2] = { (char *)&address };
	static struct hostent found = { .h_name = text, .h_aliases = aliases, .h_addrtype = AF_INET, .h_length = sizeof(address),
		.h_addr_list = addresses };

	if (inet_pton(AF_INET, name, &address) != 1) {
		h_errno = HOST_NOT_FOUND;
		return NULL;
	}
	strcpy(text, name);
	return &found;
}
