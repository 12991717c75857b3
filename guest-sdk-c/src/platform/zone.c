// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "platform/files.h"
#include "platform/zone.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/proc.h"

#define NAME_ROOM 16

char *tzname[2] = { "UTC", "UTC" };
int daylight;
long timezone;

// When a rule of POSIX' TZ changes the time.
struct change {
	char form;              // 'M': month, week and day; 'J': day without 29 February, from 1; 0: day from 0
	int month, week, day;
	long time;              // seconds after midnight, in the time that holds before
};

// A TZ of rules: what holds after the last change of a file, or always.
struct rules {
	bool is_set, has_summer;
	char names[2][NAME_ROOM];
	long offsets[2];
	struct change begin, end;
};

// A file of the system's zones, in its second form, whose times have 64 bits.
struct zone_file {
	uint8_t *data;
	const uint8_t *times, *kinds, *types, *names;
	size_t time_count, type_count, name_size;
};

static struct rules rules;
static struct zone_file file;
static char *loaded_for;        // the value of TZ
static bool is_loaded;

static const char *parse_name(const char *text, char *name)
{
	size_t length = 0;

	if (*text == '<') {
		text++;
		while (text[length] && text[length] != '>')
			length++;
		if (!text[length])
			return NULL;
	} else {
		while (isalpha((unsigned char)text[length]))
			length++;
	}
	if (length < 3 || length >= NAME_ROOM)
		return NULL;
	memcpy(name, text, length);
	name[length] = 0;
	return text + length + (text[length] == '>');
}

static const char *parse_number(const char *text, int *number)
{
	if (!isdigit((unsigned char)*text))
		return NULL;
	for (*number = 0; isdigit((unsigned char)*text) && *number < 1000; text++)
		*number = *number * 10 + (*text - '0');
	return text;
}

// [+-]hh[:mm[:ss]]
static const char *parse_time(const char *text, long *seconds)
{
	int sign = *text == '-' ? -1 : 1, parts[3] = { 0 };

	if (*text == '-' || *text == '+')
		text++;
	for (int i = 0; i < 3; i++) {
		if (i && *text != ':')
			break;
		text = parse_number(text + (i > 0), &parts[i]);
		if (!text)
			return NULL;
	}
	*seconds = sign * (parts[0] * 3600L + parts[1] * 60 + parts[2]);
	return text;
}

static const char *parse_change(const char *text, struct change *change)
{
	*change = (struct change){ .time = 7200 };
	if (*text == 'M') {
		change->form = 'M';
		text = parse_number(text + 1, &change->month);
		if (!text || *text != '.')
			return NULL;
		text = parse_number(text + 1, &change->week);
		if (!text || *text != '.')
			return NULL;
		text = parse_number(text + 1, &change->day);
		if (!text || change->month < 1 || change->month > 12 || change->week < 1 || change->week > 5 || change->day > 6)
			return NULL;
	} else {
		if (*text == 'J')
			change->form = *text++;
		text = parse_number(text, &change->day);
		if (!text || change->day > 365)
			return NULL;
	}
	return *text == '/' ? parse_time(text + 1, &change->time) : text;
}

// std offset [dst [offset] [,begin[/time],end[/time]]]
static bool parse_rules(const char *text, struct rules *rules)
{
	*rules = (struct rules){ 0 };
	text = parse_name(text, rules->names[0]);
	if (text)
		text = parse_time(text, &rules->offsets[0]);
	if (!text)
		return false;
	rules->offsets[0] = -rules->offsets[0];
	rules->is_set = true;
	if (!*text)
		return true;
	text = parse_name(text, rules->names[1]);
	if (!text)
		return false;
	rules->has_summer = true;
	rules->offsets[1] = rules->offsets[0] + 3600;
	if (*text && *text != ',') {
		text = parse_time(text, &rules->offsets[1]);
		if (!text)
			return false;
		rules->offsets[1] = -rules->offsets[1];
	}
	// Without rules those of the United States are meant.
	if (!*text)
		text = ",M3.2.0,M11.1.0";
	text = *text == ',' ? parse_change(text + 1, &rules->begin) : NULL;
	text = text && *text == ',' ? parse_change(text + 1, &rules->end) : NULL;
	return text && !*text;
}

static uint32_t big32(const uint8_t *from)
{
	return (uint32_t)from[0] << 24 | from[1] << 16 | from[2] << 8 | from[3];
}

static int64_t big64(const uint8_t *from)
{
	return (int64_t)((uint64_t)big32(from) << 32 | big32(from + 4));
}

static bool parse_file(uint8_t *data, size_t size, struct zone_file *file, struct rules *rules)
{
	const size_t header = 44;
	const uint8_t *at = data, *end = data + size;

	*file = (struct zone_file){ .data = data };
	*rules = (struct rules){ 0 };
	// The first form, with times of 32 bits, is skipped.
	for (int form = 0; form < 2; form++) {
		size_t utc, standard, leaps, times, types, names, length;
		int width = form ? 8 : 4;

		if ((size_t)(end - at) < header || memcmp(at, "TZif", 4) || at[4] < '2')
			return false;
		utc = big32(at + 20);
		standard = big32(at + 24);
		leaps = big32(at + 28);
		times = big32(at + 32);
		types = big32(at + 36);
		names = big32(at + 40);
		if (utc > size || standard > size || leaps > size || times > size || types > size || names > size)
			return false;
		length = times * (width + 1) + types * 6 + names + leaps * (width + 4) + standard + utc;
		at += header;
		if ((size_t)(end - at) < length)
			return false;
		if (form) {
			file->times = at;
			file->kinds = at + times * 8;
			file->types = file->kinds + times;
			file->names = file->types + types * 6;
			file->time_count = times;
			file->type_count = types;
			file->name_size = names;
		}
		at += length;
	}
	for (size_t i = 0; i < file->time_count; i++)
		if (file->kinds[i] >= file->type_count)
			return false;
	for (size_t i = 0; i < file->type_count; i++)
		if (file->types[i * 6 + 5] >= file->name_size)
			return false;
	if (!file->type_count || !file->name_size || file->names[file->name_size - 1])
		return false;
	// Between two newlines, the rules for times after the last.
	if (at < end && *at == '\n') {
		const uint8_t *stop = memchr(at + 1, '\n', end - at - 1);
		char *text = stop ? strndup((const char *)at + 1, stop - at - 1) : NULL;

		if (text && *text && !parse_rules(text, rules))
			*rules = (struct rules){ 0 };
		free(text);
	}
	return true;
}

static bool read_zone(const char *path)
{
	int fd = wb_open_to_read(path);
	uint8_t *data = NULL;
	struct stat status;
	bool ok = false;
	size_t size = 0;

	if (fd < 0)
		return false;
	// A zone's file has a few kilobytes.
	if (!fstat(fd, &status) && status.st_size > 0 && status.st_size < 1 << 20)
		data = malloc(status.st_size);
	while (data && size < (size_t)status.st_size) {
		ssize_t got = read(fd, data + size, status.st_size - size);

		if (got <= 0)
			break;
		size += got;
	}
	close(fd);
	if (data && size == (size_t)status.st_size)
		ok = parse_file(data, size, &file, &rules);
	if (!ok) {
		free(data);
		file = (struct zone_file){ 0 };
	}
	return ok;
}

static void read_named(const char *name)
{
	static const char folder[] = "/usr/share/zoneinfo/";
	char *path = malloc(sizeof(folder) + strlen(name));

	if (path)
		read_zone(strcat(strcpy(path, folder), name));
	free(path);
}

static struct wb_zone zone_of_type(size_t type)
{
	const uint8_t *from = file.types + type * 6;

	return (struct wb_zone){ (int32_t)big32(from), from[4], (const char *)file.names + from[5] };
}

static void tell_names(void)
{
	tzname[0] = tzname[1] = "UTC";
	timezone = 0;
	daylight = 0;
	if (rules.is_set) {
		tzname[0] = rules.names[0];
		tzname[1] = rules.has_summer ? rules.names[1] : rules.names[0];
		timezone = -rules.offsets[0];
		daylight = rules.has_summer;
		return;
	}
	for (size_t i = 0; i < file.time_count; i++) {
		struct wb_zone zone = zone_of_type(file.kinds[i]);

		tzname[zone.is_summer] = (char *)zone.name;
		if (zone.is_summer)
			daylight = 1;
		else
			timezone = -zone.offset;
	}
	if (!file.time_count && file.type_count) {
		tzname[0] = tzname[1] = (char *)zone_of_type(0).name;
		timezone = -zone_of_type(0).offset;
	}
}

void wb_zone_load(void)
{
	const char *wanted = getenv("TZ");
	int saved = errno;

	if (is_loaded && (wanted ? loaded_for && !strcmp(wanted, loaded_for) : !loaded_for))
		return;
	is_loaded = true;
	free(loaded_for);
	loaded_for = wanted ? strdup(wanted) : NULL;
	free(file.data);
	file = (struct zone_file){ 0 };
	rules = (struct rules){ 0 };
	if (!wanted) {
		// Where it is a link to another folder, a guest cannot follow it. Some systems have the name in a file.
		char name[64];

		if (!read_zone("/etc/localtime") && wb_read_line("/etc/timezone", name, sizeof(name)) && *name)
			read_named(name);
	} else if (*wanted == ':' || !parse_rules(wanted, &rules)) {
		rules = (struct rules){ 0 };
		wanted += *wanted == ':';
		if (*wanted == '/')
			read_zone(wanted);
		else if (*wanted)
			read_named(wanted);
	}
	tell_names();
	errno = saved;
}

void tzset(void)
{
	// A file may have changed.
	is_loaded = false;
	wb_zone_load();
}

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

// Days from 1970 to the first of a year.
static int64_t days_to(int64_t year)
{
	int64_t before = year - 1;

	return 365 * (year - 1970) + (before / 4 - before / 100 + before / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400);
}

// When a change comes in a year, in seconds since 1970 by the clock that holds before it.
static int64_t when(const struct change *change, int64_t year)
{
	static const short firsts[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365 };
	int64_t start = days_to(year), day;

	if (change->form == 'M') {
		int leap = is_leap(year) && change->month > 2;
		int64_t first = start + firsts[change->month - 1] + leap;
		int length = firsts[change->month] - firsts[change->month - 1] + (change->month == 2 && is_leap(year));
		// 1 January 1970 was a Thursday.
		int weekday = ((first + 4) % 7 + 7) % 7, offset = (change->day - weekday + 7) % 7 + (change->week - 1) * 7;

		while (offset >= length)
			offset -= 7;
		day = first + offset;
	} else {
		day = start + change->day - (change->form == 'J' ? 1 : 0);
		if (change->form == 'J' && is_leap(year) && change->day >= 60)
			day++;
	}
	return day * 86400 + change->time;
}

static struct wb_zone zone_by_rules(time_t time)
{
	bool is_summer = false;

	if (rules.has_summer) {
		int64_t year = 1970 + time / 31556952, begin, end;

		while (days_to(year) * 86400 > time + rules.offsets[0])
			year--;
		while (days_to(year + 1) * 86400 <= time + rules.offsets[0])
			year++;
		begin = when(&rules.begin, year) - rules.offsets[0];
		end = when(&rules.end, year) - rules.offsets[1];
		is_summer = begin < end ? time >= begin && time < end : time >= begin || time < end;
	}
	return (struct wb_zone){ rules.offsets[is_summer], is_summer, rules.names[is_summer] };
}

struct wb_zone wb_zone_at(time_t time)
{
	size_t low = 0, high = file.time_count;

	wb_zone_load();
	high = file.time_count;
	if (!file.data)
		return rules.is_set ? zone_by_rules(time) : (struct wb_zone){ 0, false, "UTC" };
	if (high && time >= big64(file.times + (high - 1) * 8) && rules.is_set)
		return zone_by_rules(time);
	if (!high && rules.is_set)
		return zone_by_rules(time);
	// Before the first change the first kind holds that is no summer time.
	if (!high || time < big64(file.times)) {
		for (size_t i = 0; i < file.type_count; i++)
			if (!zone_of_type(i).is_summer)
				return zone_of_type(i);
		return zone_of_type(0);
	}
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (big64(file.times + middle * 8) <= time)
			low = middle;
		else
			high = middle;
	}
	return zone_of_type(file.kinds[low]);
}
