/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
#ifndef WASM_BPF_DIRENT_H
#define WASM_BPF_DIRENT_H

#include <wasm-bpf/platform.h>
#include_next <dirent.h>

WB_BEGIN

/* Remembers the path, for dirfd(). */
DIR *opendir(const char *path) WB_CALLS(wb_opendir);

WB_END

#endif
