/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Attaching programs. */
#ifndef BPF_LIBBPF_ATTACH_H
#define BPF_LIBBPF_ATTACH_H

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __cplusplus
}
#endif

#endif
