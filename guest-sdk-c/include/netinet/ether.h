/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#ifndef WASM_BPF_NETINET_ETHER_H
#define WASM_BPF_NETINET_ETHER_H

#include <netinet/if_ether.h>

#include <wasm-bpf/platform.h>

WB_BEGIN

char *ether_ntoa(const struct ether_addr *address);
char *ether_ntoa_r(const struct ether_addr *address, char *text);
struct ether_addr *ether_aton(const char *text);
struct ether_addr *ether_aton_r(const char *text, struct ether_addr *address);

WB_END

#endif
