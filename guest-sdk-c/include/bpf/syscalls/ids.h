/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* What is in the kernel: ids, what is known of a descriptor, pins, BTF. */
#ifndef BPF_SYSCALLS_IDS_H
#define BPF_SYSCALLS_IDS_H

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __cplusplus
}
#endif

#endif
