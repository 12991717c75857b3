// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Numbers from text. wasi-libc's read them through a stream.
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <wchar.h>

static int digit(char letter)
{
	if (letter >= '0' && letter <= '9')
		return letter - '0';
	letter |= 0x20;
	return letter >= 'a' && letter <= 'z' ? letter - 'a' + 10 : INT_MAX;
}

// The number. More than `most` (with a minus, in numbers that have a sign, one more) is that much, and errno ERANGE.
static unsigned long long scan(const char *text, char **end, int base, unsigned long long most, bool has_sign)
{
	const char *at = text, *last = text;
	unsigned long long amount = 0;
	bool negative = false, too_large = false;

	if (base < 0 || base == 1 || base > 36) {
		errno = EINVAL;
		if (end)
			*end = (char *)text;
		return 0;
	}
	while (isspace((unsigned char)*at))
		at++;
	if (*at == '+' || *at == '-')
		negative = *at++ == '-';
	// "0x" without a digit behind it is a 0.
	if ((base == 0 || base == 16) && at[0] == '0' && (at[1] | 0x20) == 'x' && digit(at[2]) < 16) {
		at += 2;
		base = 16;
	} else if (base == 0) {
		base = *at == '0' ? 8 : 10;
	}
	if (negative && has_sign)
		most++;
	for (; digit(*at) < base; last = ++at) {
		unsigned long long larger;

		if (__builtin_mul_overflow(amount, (unsigned long long)base, &larger) ||
		    __builtin_add_overflow(larger, (unsigned long long)digit(*at), &larger) || larger > most)
			too_large = true;
		else
			amount = larger;
	}
	if (end)
		*end = (char *)last;
	if (too_large) {
		errno = ERANGE;
		amount = most;
		negative &= has_sign;
	}
	return negative ? -amount : amount;
}

long strtol(const char *restrict text, char **restrict end, int base)
{
	return scan(text, end, base, LONG_MAX, true);
}

unsigned long strtoul(const char *restrict text, char **restrict end, int base)
{
	return scan(text, end, base, ULONG_MAX, false);
}

long long strtoll(const char *restrict text, char **restrict end, int base)
{
	return scan(text, end, base, LLONG_MAX, true);
}

unsigned long long strtoull(const char *restrict text, char **restrict end, int base)
{
	return scan(text, end, base, ULLONG_MAX, false);
}

intmax_t strtoimax(const char *restrict text, char **restrict end, int base)
{
	return strtoll(text, end, base);
}

uintmax_t strtoumax(const char *restrict text, char **restrict end, int base)
{
	return strtoull(text, end, base);
}
