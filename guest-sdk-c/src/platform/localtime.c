// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Local time, which wasi-libc takes for UTC.
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "platform/zone.h"

struct tm *localtime_r(const time_t *restrict time, struct tm *restrict local)
{
	struct wb_zone zone = wb_zone_at(*time);
	time_t shifted;

	if (__builtin_add_overflow(*time, zone.offset, &shifted)) {
		errno = EOVERFLOW;
		return NULL;
	}
	if (!gmtime_r(&shifted, local))
		return NULL;
	local->tm_isdst = zone.is_summer;
	local->tm_gmtoff = zone.offset;
	local->tm_zone = zone.name;
	return local;
}

struct tm *localtime(const time_t *time)
{
	static struct tm local;

	return localtime_r(time, &local);
}

time_t mktime(struct tm *local)
{
	struct tm wanted = *local, made;
	time_t as_utc = timegm(&wanted), best = 0;
	bool is_found = false;

	if (as_utc == -1 && errno == EOVERFLOW)
		return -1;
	// The time by the clock can be one of two around a change of the clocks, or none. It is tried with what holds a day before
	// and after.
	for (int way = -1; way <= 1; way += 2) {
		struct wb_zone zone = wb_zone_at(as_utc + way * 86400);
		time_t time = as_utc - zone.offset;

		if (!localtime_r(&time, &made) || made.tm_gmtoff != zone.offset)
			continue;
		if (!is_found || (local->tm_isdst >= 0 && made.tm_isdst == !!local->tm_isdst))
			best = time;
		is_found = true;
	}
	if (!is_found)
		best = as_utc - wb_zone_at(as_utc - 86400).offset;
	if (!localtime_r(&best, &made))
		return -1;
	// Summer time that is asked for where there is none, and the other way round: as if the clock had been set.
	if (local->tm_isdst >= 0 && !!local->tm_isdst != made.tm_isdst) {
		time_t shifted = best + (local->tm_isdst ? -3600 : 3600);

		for (int month = 1; month <= 12; month++) {
			struct wb_zone other = wb_zone_at(best + month * 30 * 86400LL);

			if (other.is_summer != !!local->tm_isdst)
				continue;
			shifted = as_utc - other.offset;
			break;
		}
		best = shifted;
		if (!localtime_r(&best, &made))
			return -1;
	}
	*local = made;
	return best;
}

char *ctime_r(const time_t *time, char *text)
{
	struct tm local;

	return localtime_r(time, &local) ? asctime_r(&local, text) : NULL;
}

char *ctime(const time_t *time)
{
	static char text[26];

	return ctime_r(time, text);
}
