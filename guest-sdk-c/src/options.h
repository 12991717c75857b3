// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Structs of options: what the caller does not know is 0, and what this library does not know has to be.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define WB_END_OF(TYPE, FIELD) (offsetof(TYPE, FIELD) + sizeof(((TYPE *)0)->FIELD))

// Whether the field is there, for one that may be newer than the caller.
#define WB_HAS(OPTS, FIELD) ((OPTS) && (OPTS)->sz >= WB_END_OF(__typeof__(*(OPTS)), FIELD))
// The field's value, or another one.
#define WB_OPT(OPTS, FIELD, ELSE) (WB_HAS(OPTS, FIELD) ? (OPTS)->FIELD : (ELSE))

// NULL, or of a size that makes sense, with nothing in what is not known here. Sets errno.
#define WB_VALID(OPTS, TYPE, LAST) (!(OPTS) || wb_options_valid(OPTS, (OPTS)->sz, WB_END_OF(struct TYPE, LAST), #TYPE))

bool wb_options_valid(const void *options, size_t size, size_t known, const char *type);
