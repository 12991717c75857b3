// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// strftime() writes what glibc's does: every conversion, for many days.
#define _GNU_SOURCE
#include <stdlib.h>
#include <time.h>

#include "check.h"

static const char format[] = "%a|%A|%b|%B|%c|%C|%d|%D|%e|%F|%g|%G|%h|%H|%I|%j|%k|%l|%m|%M|%n|%p|%P|%r|%R|%s|%S|%t|%T|"
			     "%u|%U|%V|%w|%W|%x|%X|%y|%Y|%%|"
			     "%-d|%_d|%0e|%^a|%5H|%_5H|%10A|%Ey|%Od|%-j|%_m|%-I|%_Y|%06Y";

// As glibc has it of these times, in UTC.
static const struct { long long time; const char *text; } known[] = {
#include "strftime.h"
};

int main(int argc, char **argv)
{
	char text[1024];
	time_t time;

	setenv("TZ", "UTC0", 1);
	tzset();
	// Writes strftime.h, when it is compiled for this machine.
	if (argc > 1 && !strcmp(argv[1], "--write")) {
		for (long long day = -40000; day < 60000; day += 3671) {
			time = day * 86400 + (day * 7919 % 86400 + 86400) % 86400;
			strftime(text, sizeof(text), format, gmtime(&time));
			printf("\t{ %lld, \"", (long long)time);
			for (char *at = text; *at; at++)
				printf(*at == '\n' ? "\\n" : *at == '\t' ? "\\t" : "%c", *at);
			printf("\" },\n");
		}
		return 0;
	}
	CHECK(sizeof(known) / sizeof(known[0]) > 20);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		time = known[i].time;
		CHECK(strftime(text, sizeof(text), format, gmtime(&time)));
		CHECK_TEXT(text, known[i].text);
	}
	// One byte too few, and just enough.
	CHECK_IS(strftime(text, 4, "%Y", gmtime(&time)), 0);
	CHECK_IS(strftime(text, 5, "%Y", gmtime(&time)), 4);
	CHECK_IS(strftime(text, 1, "", gmtime(&time)), 0);
	CHECK_TEXT(text, "");
	CHECK_IS(strftime(text, 10, "%", gmtime(&time)), 1);
	CHECK_TEXT(text, "%");
	return 0;
}
