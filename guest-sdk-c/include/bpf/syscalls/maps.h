/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Maps by descriptor. */
#ifndef BPF_SYSCALLS_MAPS_H
#define BPF_SYSCALLS_MAPS_H

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __cplusplus
}
#endif

#endif
