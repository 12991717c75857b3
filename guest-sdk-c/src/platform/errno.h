// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// wasi-libc's error numbers, where functions return them instead of leaving them in errno.
#pragma once

// Linux' number of one of wasi-libc's; 0 for 0.
int wb_linux_errno(int number);
