/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Objects, and the skeletons that are made of them. */
#ifndef BPF_LIBBPF_OBJECT_H
#define BPF_LIBBPF_OBJECT_H

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __cplusplus
}
#endif

#endif
