/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* In place of wasi-libc's, which has fewer fields. */
#include <sys/resource.h>
