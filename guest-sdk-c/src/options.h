// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The structs of options, whose first field says how much of them the caller knows.
#pragma once

#include <stdbool.h>
#include <stddef.h>

// Whether options can be understood: none, or at least their size, and nothing set behind what this library knows. It warns if not, and
// the caller answers EINVAL.
bool wb_options_valid(const void *options, size_t known, const char *type);

#define WB_OPTIONS_VALID(options, type) wb_options_valid(options, sizeof(struct type), #type)

// Whether the caller knows a field.
#define WB_HAS_OPTION(options, field) \
	((options) && (options)->sz >= offsetof(__typeof__(*(options)), field) + sizeof((options)->field))

// A field, or what it is without it.
#define WB_OPTION(options, field, otherwise) (WB_HAS_OPTION(options, field) ? (options)->field : (otherwise))

// An answer, for those who know the field.
#define WB_SET_OPTION(options, field, value) \
	do { \
		if (WB_HAS_OPTION(options, field)) \
			(options)->field = (value); \
	} while (0)
