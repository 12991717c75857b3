// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// An arena whose pages are there as soon as somebody touches them.
#define ARENA_FLAGS 0
#include "arena.h"
