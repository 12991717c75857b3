/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Programs and links by descriptor: load, attach, run. */
#ifndef BPF_SYSCALLS_PROGRAMS_H
#define BPF_SYSCALLS_PROGRAMS_H

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __cplusplus
}
#endif

#endif
