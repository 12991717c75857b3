// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Files of the machine that may have been given to the guest, or not.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// The first line of a file, without its end and cut to the room. False, and an empty text, if it cannot be read; errno stays as it was.
bool wb_read_line(const char *path, char *line, size_t room);
