/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#ifndef WASM_BPF_NETINET_IF_ETHER_H
#define WASM_BPF_NETINET_IF_ETHER_H

#include <net/ethernet.h>

#endif
