// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Files as capabilities: the interface takes a descriptor of wasi:filesystem for a cgroup, a binary, a network namespace. wasi-libc keeps
// those of its files to itself, so the path is opened once more, through the folders that the guest was given.
#pragma once

#include <stdbool.h>

#include "wasm_bpf.h"

// Opens a path, absolute or relative to the working directory. 0, or a negative errno: -ENOENT if no folder that was given has it, with a
// warning that names the path and --dir.
int wb_open_path(const char *path, wasi_filesystem_types_own_descriptor_t *descriptor);

// The same for an fd of wasi-libc: open() remembers paths. -EBADF for one that was not opened by a path.
int wb_open_path_of(int fd, wasi_filesystem_types_own_descriptor_t *descriptor);

// The same, for what is seldom asked of files: NULL as long as nothing was opened by a path. Programs that open nothing do not carry it:
// volatile, since the compiler would find out that it is this function or none.
extern int (*volatile wb_path_opener)(int fd, wasi_filesystem_types_own_descriptor_t *descriptor);

// The path that an fd was opened by, made absolute; NULL if it has none.
const char *wb_path_of(int fd);

// A path made absolute by the working directory, in memory of its own; what links, "." and ".." stand for is not looked up. NULL: no
// memory.
char *wb_absolute_path(const char *path);

// From now on this fd has this path, which is made absolute. 0, or -ENOMEM.
int wb_remember_path(int fd, const char *path);

// The fd was closed.
void wb_forget_path(int fd);

// The negative errno of an error of wasi:filesystem.
int wb_file_error(wasi_filesystem_types_error_code_t code);
