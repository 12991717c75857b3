/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* XDP and traffic control without links. */
#ifndef BPF_LIBBPF_NETWORK_H
#define BPF_LIBBPF_NETWORK_H

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __cplusplus
}
#endif

#endif
