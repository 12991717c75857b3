// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A program in C++ that includes all there is, and calls of it what has another name behind it.
