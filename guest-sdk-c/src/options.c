// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "options.h"

#include "errors.h"

bool wb_options_valid(const void *options, size_t size, size_t known, const char *type)
{
	const unsigned char *bytes = options;

	if (size < sizeof(size_t)) {
		wb_refuse(EINVAL, "%s: its size %zu is too small", type, size);
		return false;
	}
	for (size_t i = known; i < size; i++) {
		if (bytes[i]) {
			wb_refuse(EINVAL, "%s has options that this library does not know", type);
			return false;
		}
	}
	return true;
}
