/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The bpf(2) calls of libbpf's API for guests. A descriptor is a number that has a meaning inside the guest alone. */
#ifndef BPF_BPF_H
#define BPF_BPF_H

#include <bpf/syscalls/maps.h>
#include <bpf/syscalls/programs.h>
#include <bpf/syscalls/ids.h>

#endif
