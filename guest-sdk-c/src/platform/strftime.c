// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// strftime() with the zone, which wasi-libc's takes for UTC whatever it is. The words are those of the C locale.
#define _GNU_SOURCE
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// Where the text goes. What there is no room for is counted only.
struct text {
	char *at, *end;
	bool too_long;
};

// What may stand between % and the letter.
struct form {
	char padding; // '-': none; '_' and '0'; 0: the conversion's own
	bool upper;
	int width;
};

static void put(struct text *text, char letter)
{
	if (text->at < text->end)
		*text->at++ = letter;
	else
		text->too_long = true;
}

static void put_word(struct text *text, const char *word, size_t length, struct form form)
{
	for (size_t i = length; (int)i < form.width; i++)
		put(text, form.padding == '0' ? '0' : ' ');
	for (size_t i = 0; i < length && word[i]; i++)
		put(text, form.upper ? toupper((unsigned char)word[i]) : word[i]);
}

// At least `digits` of them, with `padding` before, unless something else was asked for.
static void put_number(struct text *text, long long number, int digits, char padding, struct form form)
{
	unsigned long long amount = number < 0 ? -(unsigned long long)number : (unsigned long long)number;
	char reversed[24];
	int length = 0;

	if (form.padding)
		padding = form.padding;
	if (form.width)
		digits = form.width;
	do
		reversed[length++] = '0' + amount % 10;
	while (amount /= 10);
	digits -= number < 0;
	if (number < 0 && padding != '_')
		put(text, '-');
	for (int i = length; padding != '-' && i < digits; i++)
		put(text, padding == '_' ? ' ' : '0');
	if (number < 0 && padding == '_')
		put(text, '-');
	while (length)
		put(text, reversed[--length]);
}

static bool is_leap(long long year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

// The week of ISO 8601, which begins on a Monday and belongs to the year that has its Thursday.
static int iso_week(const struct tm *time, long long *year)
{
	int monday = (time->tm_wday + 6) % 7, week = (time->tm_yday - monday + 10) / 7, first;

	*year = time->tm_year + 1900LL;
	if (week < 1) {
		--*year;
		week = (time->tm_yday + 365 + is_leap(*year) - monday + 10) / 7;
	} else if (week == 53) {
		// What day the next year begins with.
		first = (time->tm_wday + 365 + is_leap(*year) - time->tm_yday) % 7;
		if (first >= 1 && first <= 4) {
			++*year;
			week = 1;
		}
	}
	return week;
}

static const char days[][9] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" };
static const char months[][9] = { "January", "February", "March",     "April",   "May",      "June",
				  "July",    "August",   "September", "October", "November", "December" };

// A word of nine letters at most, or its first three.
static void put_name(struct text *text, const char (*names)[9], int count, int index, bool whole, struct form form)
{
	const char *name = index >= 0 && index < count ? names[index] : "?";

	put_word(text, name, strnlen(name, whole ? 9 : 3), form);
}

static void put_zone(struct text *text, const struct tm *time, struct form form)
{
	long minutes = labs(time->tm_gmtoff) / 60;

	if (time->tm_isdst < 0)
		return;
	put(text, time->tm_gmtoff < 0 ? '-' : '+');
	put_number(text, minutes / 60 * 100 + minutes % 60, 4, '0', form);
}

static void put_all(struct text *text, const char *format, const struct tm *time);

static void convert(struct text *text, char letter, const struct tm *time, struct form form)
{
	long long year = time->tm_year + 1900LL;
	int hour = time->tm_hour % 12 ? time->tm_hour % 12 : 12, week;
	struct tm copy;

	switch (letter) {
	case 'a':
	case 'A':
		put_name(text, days, 7, time->tm_wday, letter == 'A', form);
		break;
	case 'b':
	case 'h':
	case 'B':
		put_name(text, months, 12, time->tm_mon, letter == 'B', form);
		break;
	case 'c':
		put_all(text, "%a %b %e %H:%M:%S %Y", time);
		break;
	case 'C':
		put_number(text, year / 100 - (year < 0 && year % 100), 2, '0', form);
		break;
	case 'd':
		put_number(text, time->tm_mday, 2, '0', form);
		break;
	case 'D':
	case 'x':
		put_all(text, "%m/%d/%y", time);
		break;
	case 'e':
		put_number(text, time->tm_mday, 2, '_', form);
		break;
	case 'F':
		put_all(text, "%Y-%m-%d", time);
		break;
	case 'g':
		iso_week(time, &year);
		put_number(text, (year % 100 + 100) % 100, 2, '0', form);
		break;
	case 'G':
		iso_week(time, &year);
		put_number(text, year, 1, '0', form);
		break;
	case 'H':
		put_number(text, time->tm_hour, 2, '0', form);
		break;
	case 'I':
		put_number(text, hour, 2, '0', form);
		break;
	case 'j':
		put_number(text, time->tm_yday + 1, 3, '0', form);
		break;
	case 'k':
		put_number(text, time->tm_hour, 2, '_', form);
		break;
	case 'l':
		put_number(text, hour, 2, '_', form);
		break;
	case 'm':
		put_number(text, time->tm_mon + 1, 2, '0', form);
		break;
	case 'M':
		put_number(text, time->tm_min, 2, '0', form);
		break;
	case 'n':
		put(text, '\n');
		break;
	case 'p':
		put_word(text, time->tm_hour < 12 ? "AM" : "PM", 2, form);
		break;
	case 'P':
		put_word(text, time->tm_hour < 12 ? "am" : "pm", 2, form);
		break;
	case 'r':
		put_all(text, "%I:%M:%S %p", time);
		break;
	case 'R':
		put_all(text, "%H:%M", time);
		break;
	case 's':
		copy = *time;
		put_number(text, (long long)timegm(&copy) - time->tm_gmtoff, 1, '0', form);
		break;
	case 'S':
		put_number(text, time->tm_sec, 2, '0', form);
		break;
	case 't':
		put(text, '\t');
		break;
	case 'T':
	case 'X':
		put_all(text, "%H:%M:%S", time);
		break;
	case 'u':
		put_number(text, time->tm_wday ? time->tm_wday : 7, 1, '0', form);
		break;
	case 'U':
		put_number(text, (time->tm_yday + 7 - time->tm_wday) / 7, 2, '0', form);
		break;
	case 'V':
		week = iso_week(time, &year);
		put_number(text, week, 2, '0', form);
		break;
	case 'w':
		put_number(text, time->tm_wday, 1, '0', form);
		break;
	case 'W':
		put_number(text, (time->tm_yday + 7 - (time->tm_wday + 6) % 7) / 7, 2, '0', form);
		break;
	case 'y':
		put_number(text, (year % 100 + 100) % 100, 2, '0', form);
		break;
	case 'Y':
		put_number(text, year, 1, '0', form);
		break;
	case 'z':
		put_zone(text, time, form);
		break;
	case 'Z':
		if (time->tm_isdst >= 0 && time->tm_zone)
			put_word(text, time->tm_zone, strlen(time->tm_zone), form);
		break;
	default:
		put(text, '%');
		if (letter != '%')
			put(text, letter);
	}
}

static void put_all(struct text *text, const char *format, const struct tm *time)
{
	for (; *format; format++) {
		struct form form = { 0 };

		if (*format != '%' || !format[1]) {
			put(text, *format);
			continue;
		}
		for (format++; *format && strchr("-_0^#+", *format); format++) {
			if (*format == '^' || *format == '#')
				form.upper = true;
			else
				form.padding = *format == '+' ? '0' : *format;
		}
		for (; isdigit((unsigned char)*format); format++)
			form.width = form.width < 1000 ? form.width * 10 + *format - '0' : form.width;
		// Other ways to write a number or an era, which the C locale does not have.
		if (*format == 'E' || *format == 'O')
			format++;
		if (!*format)
			break;
		convert(text, *format, time, form);
	}
}

size_t strftime(char *restrict text, size_t size, const char *restrict format, const struct tm *restrict time)
{
	struct text out = { text, text + size, false };

	put_all(&out, format, time);
	put(&out, '\0');
	return out.too_long ? 0 : out.at - text - 1;
}
