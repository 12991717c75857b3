// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/accounts.h"

static struct group *find(int field, const char *text)
{
	static struct group group;
	static char *last, **members;
	char *fields[4], *line = wb_find_account("/etc/group", field, text, fields, 4), **grown;
	size_t count = 1;

	if (!line)
		return NULL;
	free(last);
	last = line;
	for (const char *at = fields[3]; *at; at++)
		count += *at == ',';
	grown = realloc(members, (count + 1) * sizeof(*members));
	if (!grown) {
		errno = ENOMEM;
		return NULL;
	}
	members = grown;
	count = 0;
	for (char *rest = fields[3], *name; (name = strsep(&rest, ",")) && *name;)
		members[count++] = name;
	members[count] = NULL;
	group = (struct group){ fields[0], fields[1], strtoul(fields[2], NULL, 10), members };
	return &group;
}

struct group *getgrnam(const char *name)
{
	return find(0, name);
}

struct group *getgrgid(gid_t gid)
{
	char text[12];

	snprintf(text, sizeof(text), "%u", gid);
	return find(2, text);
}
