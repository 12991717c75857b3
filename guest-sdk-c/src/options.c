// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "options.h"

#include <string.h>

#include "errors.h"

bool wb_options_valid(const void *options, size_t known, const char *type)
{
	const unsigned char *bytes = options;
	size_t size;

	if (!options)
		return true;
	memcpy(&size, options, sizeof(size));
	if (size < sizeof(size)) {
		wb_refuse(EINVAL, "struct %s says that it has %zu bytes", type, size);
		return false;
	}
	for (size_t at = known; at < size; at++) {
		if (bytes[at]) {
			wb_refuse(EINVAL, "struct %s has a field set that this library does not know", type);
			return false;
		}
	}
	return true;
}
