/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What the kernel can do, and the machine has. */
#ifndef BPF_LIBBPF_PROBE_H
#define BPF_LIBBPF_PROBE_H

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __cplusplus
}
#endif

#endif
