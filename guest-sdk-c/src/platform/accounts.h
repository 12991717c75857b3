// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lines of fields between colons, as /etc/passwd and /etc/group have them.
#pragma once

#include <stddef.h>

// Finds the line whose field of this number has this text, and cuts it into `count` fields (the last takes what is left). The line
// is in memory that the caller frees. NULL: there is none, and errno stays; or the file cannot be read, and errno says why.
char *wb_find_account(const char *path, int field, const char *text, char **fields, int count);
