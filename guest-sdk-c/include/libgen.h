/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#ifndef WASM_BPF_LIBGEN_H
#define WASM_BPF_LIBGEN_H

#include <wasm-bpf/platform.h>

/* As with glibc: POSIX' basename under a name of its own, since <string.h> may have declared GNU's. */
#undef basename
#define basename __xpg_basename
#include_next <libgen.h>

#endif
