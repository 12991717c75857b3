// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A program to look into: it calls uprobed_add once in each tenth of a second, as often as its argument says (default: for ever).
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((noinline)) long uprobed_add(long first, long second)
{
	// Not for the compiler to know the result of.
	__asm__ volatile("" : "+r"(first), "+r"(second));
	return first + second;
}

int main(int argc, char **argv)
{
	long times = argc > 1 ? strtol(argv[1], NULL, 10) : -1;

	for (long i = 0; times < 0 || i < times; i++) {
		printf("%ld + %ld = %ld\n", i, i + 1, uprobed_add(i, i + 1));
		fflush(stdout);
		usleep(100 * 1000);
	}
	return 0;
}
