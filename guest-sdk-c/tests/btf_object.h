/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#ifndef BTF_OBJECT_H
#define BTF_OBJECT_H

struct reading {
	__u64 when;
	__u32 value : 12;
	__u32 kind : 3;
	char name[16];
};

#endif
