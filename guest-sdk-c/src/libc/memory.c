// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Copying and filling, by the instructions for it. wasi-libc's do it in loops, for hosts that do not have them.
#include <stddef.h>

__attribute__((no_builtin, target("bulk-memory"))) void *memmove(void *to, const void *from, size_t length)
{
	// It may overlap.
	__asm__ volatile("local.get %0\n\tlocal.get %1\n\tlocal.get %2\n\tmemory.copy 0, 0" : : "r"(to), "r"(from), "r"(length) : "memory");
	return to;
}

__attribute__((no_builtin, target("bulk-memory"))) void *memcpy(void *restrict to, const void *restrict from, size_t length)
{
	__asm__ volatile("local.get %0\n\tlocal.get %1\n\tlocal.get %2\n\tmemory.copy 0, 0" : : "r"(to), "r"(from), "r"(length) : "memory");
	return to;
}

__attribute__((no_builtin, target("bulk-memory"))) void *memset(void *to, int byte, size_t length)
{
	__asm__ volatile("local.get %0\n\tlocal.get %1\n\tlocal.get %2\n\tmemory.fill 0" : : "r"(to), "r"(byte), "r"(length) : "memory");
	return to;
}
