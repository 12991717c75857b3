// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Addresses of sockets: structs here, text in the interface.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "errors.h"
#include "object.h"
#include "sockets/socket.h"

int wb_socket_text_of(const struct wb_socket *socket, const struct sockaddr *address, socklen_t length, char text[WB_ADDRESS_TEXT])
{
	const size_t needed = socket->domain == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	char host[INET6_ADDRSTRLEN];
	struct sockaddr_in6 six;
	struct sockaddr_in four;

	if (!address)
		return -EFAULT;
	if ((int)length < 0 || length < sizeof(address->sa_family))
		return -EINVAL;
	if (address->sa_family != socket->domain)
		return wb_refuse(EAFNOSUPPORT, "a socket of the address family %d was given an address of family %d", socket->domain, address->sa_family);
	if (length < needed)
		return wb_refuse(EINVAL, "an address of %u bytes is not a whole one: %zu", length, needed);
	if (socket->domain == AF_INET) {
		memcpy(&four, address, sizeof(four));
		inet_ntop(AF_INET, &four.sin_addr, host, sizeof(host));
		snprintf(text, WB_ADDRESS_TEXT, "%s:%u", host, ntohs(four.sin_port));
		return 0;
	}
	memcpy(&six, address, sizeof(six));
	inet_ntop(AF_INET6, &six.sin6_addr, host, sizeof(host));
	if (six.sin6_scope_id)
		snprintf(text, WB_ADDRESS_TEXT, "[%s%%%u]:%u", host, six.sin6_scope_id, ntohs(six.sin6_port));
	else
		snprintf(text, WB_ADDRESS_TEXT, "[%s]:%u", host, ntohs(six.sin6_port));
	return 0;
}

// The parts of "127.0.0.1:80" or "[fe80::1%2]:80"; how long the struct is, 0 if that is neither.
static socklen_t parse(char *text, struct sockaddr_storage *address)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)address;
	struct sockaddr_in *four = (struct sockaddr_in *)address;
	char *port = strrchr(text, ':'), *scope;

	memset(address, 0, sizeof(*address));
	if (!port)
		return 0;
	*port++ = '\0';
	if (text[0] != '[') {
		four->sin_family = AF_INET;
		four->sin_port = htons(strtoul(port, NULL, 10));
		return inet_pton(AF_INET, text, &four->sin_addr) == 1 ? sizeof(*four) : 0;
	}
	port[-2] = '\0';
	scope = strchr(text, '%');
	if (scope) {
		*scope++ = '\0';
		six->sin6_scope_id = strtoul(scope, NULL, 10);
	}
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(strtoul(port, NULL, 10));
	return inet_pton(AF_INET6, text + 1, &six->sin6_addr) == 1 ? sizeof(*six) : 0;
}

int wb_socket_give_address(wasm_bpf_string_t *text, struct sockaddr *address, socklen_t *length)
{
	struct sockaddr_storage whole;
	socklen_t size, room;
	char *taken;

	taken = wb_take_string(text);
	if (!taken)
		return -ENOMEM;
	size = parse(taken, &whole);
	if (!size)
		wb_refuse(EIO, "'%s' is no address of a socket", taken);
	free(taken);
	if (!size)
		return -EIO;
	if (!address)
		return 0;
	if (!length)
		return -EFAULT;
	room = *length;
	if ((int)room < 0)
		return -EINVAL;
	memcpy(address, &whole, room < size ? room : size);
	*length = size;
	return 0;
}
