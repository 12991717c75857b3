// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <bpf/libbpf_legacy.h>

struct btf *libbpf_find_kernel_btf(void)
{
	return btf__load_vmlinux_btf();
}

const void *btf__get_raw_data(const struct btf *btf, __u32 *size)
{
	return btf__raw_data(btf, size);
}

const void *btf_ext__get_raw_data(const struct btf_ext *ext, __u32 *size)
{
	return btf_ext__raw_data(ext, size);
}
