// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Clocks of the kernel, and local time by TZ, by the machine's zones, and by nothing. What is wanted is what glibc says.
// needs: --dir /usr/share/zoneinfo
#define _GNU_SOURCE
#include <stdbool.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static long long ns(clockid_t clock)
{
	struct timespec time;

	CHECK_IS(clock_gettime(clock, &time), 0);
	CHECK(time.tv_nsec >= 0 && time.tv_nsec < 1000000000);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void test_clocks(void)
{
	long long monotonic = ns(CLOCK_MONOTONIC), boot = ns(CLOCK_BOOTTIME), real = ns(CLOCK_REALTIME);
	struct timespec time;
	struct timeval now;

	CHECK_IS(CLOCK_MONOTONIC, 1);
	// The machine runs for longer than this guest.
	CHECK(monotonic > 10000000000LL);
	CHECK(boot >= monotonic);
	CHECK(ns(CLOCK_MONOTONIC) >= monotonic);
	CHECK_IS(gettimeofday(&now, NULL), 0);
	CHECK(now.tv_sec - real / 1000000000 < 10);
	CHECK_IS(clock_getres(CLOCK_MONOTONIC, &time), 0);
	CHECK(!time.tv_sec && time.tv_nsec > 0);
	errno = 0;
	CHECK_IS(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time), -1);
	CHECK_IS(errno, EINVAL);
	CHECK_IS(clock_getres(12345, &time), -1);
	CHECK_IS(clock(), (clock_t)-1);
}

static void check_time(const char *zone, time_t time, const char *wanted)
{
	struct tm local, copy;
	char text[64];

	if (zone)
		setenv("TZ", zone, 1);
	else
		unsetenv("TZ");
	tzset();
	CHECK(localtime_r(&time, &local) == &local);
	CHECK(strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %Z %z %s", &local));
	if (strcmp(text, wanted))
		FAIL_CHECK("%lld in %s is '%s', not '%s'", (long long)time, zone ? zone : "no zone", text, wanted);
	copy = local;
	CHECK_IS(mktime(&copy), time);
	copy.tm_isdst = -1;
	CHECK_IS(mktime(&copy), time);
	CHECK_IS(copy.tm_isdst, local.tm_isdst);
}

static void test_zones(void)
{
	struct tm wanted = { .tm_year = 124, .tm_mon = 2, .tm_mday = 31, .tm_hour = 2, .tm_min = 30, .tm_isdst = -1 };
	time_t time = 1711846800;
	char text[64];

	check_time("UTC0", 0, "1970-01-01 00:00:00 UTC +0000 0");
	check_time("CET-1CEST,M3.5.0,M10.5.0/3", 1711846799, "2024-03-31 01:59:59 CET +0100 1711846799");
	check_time("CET-1CEST,M3.5.0,M10.5.0/3", 1711846800, "2024-03-31 03:00:00 CEST +0200 1711846800");
	check_time("CET-1CEST,M3.5.0,M10.5.0/3", 1729994400, "2024-10-27 03:00:00 CET +0100 1729994400");
	check_time("AEST-10AEDT,M10.1.0,M4.1.0/3", 1704067200, "2024-01-01 11:00:00 AEDT +1100 1704067200");
	check_time("EST5EDT", 1720000000, "2024-07-03 05:46:40 EDT -0400 1720000000");
	check_time("<-03>3", 1000000000, "2001-09-08 22:46:40 -03 -0300 1000000000");
	check_time("IST-5:30", 1000000000, "2001-09-09 07:16:40 IST +0530 1000000000");
	check_time("XXX3YYY,J60/0,J300", 1709262000, "2024-03-01 01:00:00 YYY -0200 1709262000");
	check_time("", 86400, "1970-01-02 00:00:00 UTC +0000 86400");
	check_time("Europe/Berlin", 1711846800, "2024-03-31 03:00:00 CEST +0200 1711846800");
	check_time("Europe/Berlin", 4102444800, "2100-01-01 01:00:00 CET +0100 4102444800");
	check_time(":America/New_York", 1730613599, "2024-11-03 01:59:59 EDT -0400 1730613599");
	check_time("Asia/Kathmandu", 951782400, "2000-02-29 05:45:00 +0545 +0545 951782400");
	check_time("Australia/Lord_Howe", 1720000000, "2024-07-03 20:16:40 +1030 +1030 1720000000");
	check_time("/usr/share/zoneinfo/Asia/Tokyo", 0, "1970-01-01 09:00:00 JST +0900 0");

	// An hour that the clocks skip.
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	CHECK_IS(mktime(&wanted), 1711848600);
	CHECK(wanted.tm_hour == 3 && wanted.tm_isdst == 1);
	CHECK_TEXT(ctime_r(&time, text), "Sun Mar 31 03:00:00 2024\n");
	CHECK_TEXT(ctime(&time), "Sun Mar 31 03:00:00 2024\n");
	CHECK_TEXT(tzname[0], "CET");
	CHECK_TEXT(tzname[1], "CEST");
	CHECK_IS(timezone, -3600);
	CHECK_IS(daylight, 1);
	CHECK_IS(localtime(&time)->tm_gmtoff, 7200);
	// What stands beside the zone stays.
	CHECK(strftime(text, sizeof(text), "100%% %%Z %H:%M", localtime(&time)));
	CHECK_TEXT(text, "100% %Z 03:00");
	CHECK_IS(strftime(text, 3, "%Z", localtime(&time)), 0);
}

int main(void)
{
	test_clocks();
	test_zones();
#ifdef __wasm__
	// No zone that can be read: UTC. This guest was not given /etc.
	check_time(NULL, 1711846800, "2024-03-31 01:00:00 UTC +0000 1711846800");
	check_time("Mars/Olympus_Mons", 0, "1970-01-01 00:00:00 UTC +0000 0");
#endif
	return 0;
}
