/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#ifndef WASM_BPF_ARPA_INET_H
#define WASM_BPF_ARPA_INET_H

#include <wasm-bpf/platform.h>
#include_next <arpa/inet.h>

WB_BEGIN

int inet_pton(int family, const char *__restrict text, void *__restrict address) WB_CALLS(wb_inet_pton);
const char *inet_ntop(int family, const void *__restrict address, char *__restrict text, socklen_t size) WB_CALLS(wb_inet_ntop);
in_addr_t inet_addr(const char *text);
char *inet_ntoa(struct in_addr address);
struct in_addr inet_makeaddr(in_addr_t network, in_addr_t host);
in_addr_t inet_lnaof(struct in_addr address);
in_addr_t inet_netof(struct in_addr address);

WB_END

#endif
