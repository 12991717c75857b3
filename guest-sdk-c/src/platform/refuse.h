// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What no guest can do.
#pragma once

// Says so on stderr, in one line, and sets errno to ENOSYS: -1.
int wb_cannot(const char *function, const char *why);
