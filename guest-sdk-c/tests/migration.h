/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#ifndef MIGRATION_H
#define MIGRATION_H

/* More than the 4096 bytes that the first wasm-bpf had for a record. */
struct large {
	__u32 first;
	char between[6000];
	__u32 last;
};

#endif
