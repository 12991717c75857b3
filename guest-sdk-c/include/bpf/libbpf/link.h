/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Links: programs that are attached. */
#ifndef BPF_LIBBPF_LINK_H
#define BPF_LIBBPF_LINK_H

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __cplusplus
}
#endif

#endif
