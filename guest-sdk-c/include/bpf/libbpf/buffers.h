/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Ring buffers, perf buffers and user ring buffers. */
#ifndef BPF_LIBBPF_BUFFERS_H
#define BPF_LIBBPF_BUFFERS_H

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __cplusplus
}
#endif

#endif
