/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Version, messages, errors, and what the kernel's numbers are called. */
#ifndef BPF_LIBBPF_BASE_H
#define BPF_LIBBPF_BASE_H

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __cplusplus
}
#endif

#endif
