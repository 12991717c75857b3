/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* The version of libbpf whose API this is. */
#ifndef BPF_LIBBPF_VERSION_H
#define BPF_LIBBPF_VERSION_H

#define LIBBPF_MAJOR_VERSION 1
#define LIBBPF_MINOR_VERSION 7

#endif
