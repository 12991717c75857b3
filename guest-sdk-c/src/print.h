// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Messages to the print callback, beside those of errors.h.
#pragma once

// The verifier's log of a program (NULL: not known which), as libbpf shows it.
void wb_warn_log(const char *program, const char *log);
