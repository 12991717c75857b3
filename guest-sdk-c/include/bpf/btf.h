/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Types: BTF of the kernel, of objects, and of the guest's own making. */
#ifndef BPF_BTF_H
#define BPF_BTF_H

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __cplusplus
}
#endif

#endif
