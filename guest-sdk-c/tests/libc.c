// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the library has in the place of functions of wasi-libc: numbers from text, sorting, copying.
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

#include "check.h"

static void numbers(void)
{
	static const struct { const char *text; int base; long long number; int used; int error; } cases[] = {
		{ "0", 10, 0, 1, 0 },
		{ "  +42x", 10, 42, 5, 0 },
		{ "\t\n-17", 0, -17, 5, 0 },
		{ "0x1fZ", 0, 31, 4, 0 },
		{ "0x1F", 16, 31, 4, 0 },
		{ "0xg", 16, 0, 1, 0 },
		{ "0xg", 0, 0, 1, 0 },
		{ "0x", 0, 0, 1, 0 },
		{ "0779", 0, 63, 3, 0 },
		{ "zz", 36, 35 * 36 + 35, 2, 0 },
		{ "1012", 2, 5, 3, 0 },
		{ "", 10, 0, 0, 0 },
		{ "  ", 10, 0, 0, 0 },
		{ "-", 10, 0, 0, 0 },
		{ "x", 10, 0, 0, 0 },
		{ "9223372036854775807", 10, LLONG_MAX, 19, 0 },
		{ "9223372036854775808", 10, LLONG_MAX, 19, ERANGE },
		{ "-9223372036854775808", 10, LLONG_MIN, 20, 0 },
		{ "-9223372036854775809", 10, LLONG_MIN, 20, ERANGE },
		{ "99999999999999999999999z", 10, LLONG_MAX, 23, ERANGE },
		{ "5", 1, 0, 0, EINVAL },
		{ "5", 37, 0, 0, EINVAL },
	};
	char *end;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		errno = 0;
		CHECK_IS(strtoll(cases[i].text, &end, cases[i].base), cases[i].number);
		CHECK_IS(errno, cases[i].error);
		// Of a base that there is not, nothing more is said.
		if (cases[i].error != EINVAL)
			CHECK_IS(end - cases[i].text, cases[i].used);
		CHECK_IS(strtoimax(cases[i].text, NULL, cases[i].base), cases[i].number);
	}
	errno = 0;
	CHECK(strtoull("18446744073709551615", &end, 10) == ULLONG_MAX && !errno && !*end);
	CHECK(strtoull("-1", NULL, 10) == ULLONG_MAX && !errno);
	CHECK(strtoull("18446744073709551616", NULL, 10) == ULLONG_MAX && errno == ERANGE);
	CHECK(strtoumax("-18446744073709551616", NULL, 10) == ULLONG_MAX && errno == ERANGE);
	errno = 0;
	CHECK(strtoul("-5", NULL, 10) == ULONG_MAX - 4 && !errno);
	CHECK_IS(strtol("-12", NULL, 10), -12);
	if (sizeof(long) == 4) {
		CHECK(strtol("2147483648", NULL, 10) == LONG_MAX && errno == ERANGE);
		errno = 0;
		CHECK(strtol("-2147483648", NULL, 10) == LONG_MIN && !errno);
		CHECK(strtol("-2147483649", NULL, 10) == LONG_MIN && errno == ERANGE);
		errno = 0;
		CHECK(strtoul("4294967295", NULL, 10) == ULONG_MAX && !errno);
		CHECK(strtoul("-4294967296", NULL, 10) == ULONG_MAX && errno == ERANGE);
	}
	CHECK_IS(atoi(" -7 "), -7);
}

struct element {
	short key;
	short at;
	char rest[3];
};

static int compare(const void *one, const void *other)
{
	return ((const struct element *)one)->key - ((const struct element *)other)->key;
}

static void sorting(void)
{
	static struct element elements[5000];
	unsigned int state = 1;

	for (int count = 0; count <= 5000; count = count < 20 ? count + 1 : count * 3) {
		for (int i = 0; i < count; i++) {
			state = state * 1103515245 + 12345;
			elements[i] = (struct element){ .key = state >> 16 & 0xff, .at = i, .rest = { i, i + 1, i + 2 } };
		}
		qsort(elements, count, sizeof(elements[0]), compare);
		for (int i = 0; i < count; i++) {
			CHECK(elements[i].rest[0] == (char)elements[i].at && elements[i].rest[2] == (char)(elements[i].at + 2));
			if (i)
				CHECK(elements[i - 1].key < elements[i].key ||
				      (elements[i - 1].key == elements[i].key && elements[i - 1].at < elements[i].at));
		}
	}
	qsort(NULL, 0, 8, compare);
}

static void copying(void)
{
	char text[64] = "abcdefgh";
	volatile size_t none = 0;

	CHECK(memmove(text + 2, text, 8) == text + 2);
	CHECK(!memcmp(text, "ababcdefgh", 10));
	CHECK(memmove(text, text + 2, 8) == text);
	CHECK(!memcmp(text, "abcdefghgh", 10));
	CHECK(memset(text + 1, 'x', 3) == text + 1);
	CHECK(!memcmp(text, "axxxefgh", 8));
	CHECK(memcpy(text + 20, text, 8) == text + 20);
	CHECK(!memcmp(text + 20, "axxxefgh", 8));
	memcpy(text, text + 20, none);
	memset(text, 0, none);
	CHECK_IS(text[0], 'a');
}

int main(void)
{
	numbers();
	sorting();
	copying();
	return 0;
}
