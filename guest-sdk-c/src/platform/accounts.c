// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "platform/accounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *wb_find_account(const char *path, int field, const char *text, char **fields, int count)
{
	int saved = errno;
	FILE *stream = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;

	if (!stream)
		return NULL;
	while (getline(&line, &room, stream) > 0) {
		char *at = line;
		int found = 0;

		line[strcspn(line, "\n")] = 0;
		while (found < count) {
			char *colon = found == count - 1 ? NULL : strchr(at, ':');

			fields[found++] = at;
			if (!colon)
				break;
			*colon = 0;
			at = colon + 1;
		}
		if (found == count && !strcmp(fields[field], text)) {
			fclose(stream);
			errno = saved;
			return line;
		}
	}
	free(line);
	fclose(stream);
	errno = saved;
	return NULL;
}
