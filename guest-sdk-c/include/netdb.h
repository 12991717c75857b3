/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Addresses and ports as numbers. Names are not looked up: EAI_NONAME. */
#ifndef WASM_BPF_NETDB_H
#define WASM_BPF_NETDB_H

#include <wasm-bpf/platform.h>
#include_next <netdb.h>

#undef h_errno
#define h_errno wb_h_errno

#ifndef NI_MAXHOST
#define NI_MAXHOST 1025
#endif
#ifndef NI_MAXSERV
#define NI_MAXSERV 32
#endif

WB_BEGIN

extern int wb_h_errno;
int getaddrinfo(const char *__restrict host, const char *__restrict service, const struct addrinfo *__restrict hints,
		struct addrinfo **__restrict result) WB_CALLS(wb_getaddrinfo);
void freeaddrinfo(struct addrinfo *list) WB_CALLS(wb_freeaddrinfo);
int getnameinfo(const struct sockaddr *__restrict address, socklen_t length, char *__restrict host, socklen_t host_size,
		char *__restrict service, socklen_t service_size, int flags) WB_CALLS(wb_getnameinfo);
/* Of an address in numbers; NULL, and h_errno is HOST_NOT_FOUND, for a name. */
struct hostent *gethostbyname(const char *name) WB_CALLS(wb_gethostbyname);

WB_END

#endif
