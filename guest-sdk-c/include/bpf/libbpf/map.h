/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Maps of an object. */
#ifndef BPF_LIBBPF_MAP_H
#define BPF_LIBBPF_MAP_H

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __cplusplus
}
#endif

#endif
