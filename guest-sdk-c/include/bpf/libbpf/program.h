/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Programs of an object. */
#ifndef BPF_LIBBPF_PROGRAM_H
#define BPF_LIBBPF_PROGRAM_H

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __cplusplus
}
#endif

#endif
