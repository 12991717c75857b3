// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <string.h>

// The name that string.h gives GNU's basename: changes nothing.
char *wb_gnu_basename(const char *path);
char *wb_gnu_basename(const char *path)
{
	const char *slash = strrchr(path, '/');

	return (char *)(slash ? slash + 1 : path);
}
