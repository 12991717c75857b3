/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Some programs include this header by its name. What it has is in the others. */
#ifndef BPF_LIBBPF_LEGACY_H
#define BPF_LIBBPF_LEGACY_H

#include <bpf/libbpf.h>
#include <bpf/btf.h>

#endif
