// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Texts by number.
#pragma once

#include <stddef.h>

// The text of a number among texts that end in zeros and stand in the order of their numbers; NULL if it has none.
const char *wb_text_of(const char *texts, size_t size, int number);
