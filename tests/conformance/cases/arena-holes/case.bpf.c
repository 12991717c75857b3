// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// An arena in which a page that no program allocated stays absent.
#define ARENA_FLAGS SEGV_ON_FAULT
#include "arena.h"
