/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Names of before. Some programs include this header by its name. */
#ifndef BPF_LIBBPF_LEGACY_H
#define BPF_LIBBPF_LEGACY_H

#include <bpf/libbpf.h>
#include <bpf/btf.h>

#ifdef __cplusplus
extern "C" {
#endif

/* btf__load_vmlinux_btf. */
LIBBPF_API struct btf *libbpf_find_kernel_btf(void);

/* btf__raw_data. */
LIBBPF_API const void *btf__get_raw_data(const struct btf *btf, __u32 *size);

/* btf_ext__raw_data. */
LIBBPF_API const void *btf_ext__get_raw_data(const struct btf_ext *btf_ext, __u32 *size);

#ifdef __cplusplus
}
#endif

#endif
