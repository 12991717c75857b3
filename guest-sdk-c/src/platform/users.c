// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/accounts.h"

#define FIELDS 7

static void fill(struct passwd *user, char **fields)
{
	*user = (struct passwd){ fields[0], fields[1], strtoul(fields[2], NULL, 10), strtoul(fields[3], NULL, 10), fields[4],
		fields[5], fields[6] };
}

static struct passwd *find(int field, const char *text)
{
	static struct passwd user;
	static char *last;
	char *fields[FIELDS], *line = wb_find_account("/etc/passwd", field, text, fields, FIELDS);

	if (!line)
		return NULL;
	free(last);
	last = line;
	fill(&user, fields);
	return &user;
}

static int find_in(int field, const char *wanted, struct passwd *user, char *text, size_t size, struct passwd **result)
{
	char *fields[FIELDS], *line;
	size_t length;
	int saved = errno, error;

	*result = NULL;
	errno = 0;
	line = wb_find_account("/etc/passwd", field, wanted, fields, FIELDS);
	error = errno;
	errno = saved;
	if (!line)
		return error;
	length = fields[FIELDS - 1] + strlen(fields[FIELDS - 1]) + 1 - line;
	if (length <= size) {
		memcpy(text, line, length);
		for (int i = 0; i < FIELDS; i++)
			fields[i] = text + (fields[i] - line);
		fill(user, fields);
		*result = user;
	}
	free(line);
	return length <= size ? 0 : ERANGE;
}

struct passwd *getpwnam(const char *name)
{
	return find(0, name);
}

struct passwd *getpwuid(uid_t uid)
{
	char text[12];

	snprintf(text, sizeof(text), "%u", uid);
	return find(2, text);
}

int getpwnam_r(const char *name, struct passwd *user, char *text, size_t size, struct passwd **result)
{
	return find_in(0, name, user, text, size, result);
}

int getpwuid_r(uid_t uid, struct passwd *user, char *text, size_t size, struct passwd **result)
{
	char wanted[12];

	snprintf(wanted, sizeof(wanted), "%u", uid);
	return find_in(2, wanted, user, text, size, result);
}
