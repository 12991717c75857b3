// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lists of what is mounted.
#include <mntent.h>
#include <stdlib.h>
#include <string.h>

FILE *setmntent(const char *path, const char *mode)
{
	return fopen(path, mode);
}

int endmntent(FILE *stream)
{
	if (stream)
		fclose(stream);
	return 1;
}

// Blanks and the like are written in octal: \040. In place.
static char *decode(char *text)
{
	char *out = text;

	for (char *in = text; *in; out++) {
		if (in[0] == '\\' && in[1] >= '0' && in[1] <= '3' && in[2] >= '0' && in[2] <= '7' && in[3] >= '0' && in[3] <= '7') {
			*out = (in[1] - '0') << 6 | (in[2] - '0') << 3 | (in[3] - '0');
			in += 4;
		} else {
			*out = *in++;
		}
	}
	*out = 0;
	return text;
}

static struct mntent *parse(char *line, struct mntent *entry)
{
	char *fields[6] = { 0 }, *rest = line + strspn(line, " \t");
	int count = 0;

	while (count < 6 && *rest) {
		size_t length = strcspn(rest, " \t\n");

		fields[count++] = rest;
		rest += length;
		if (*rest)
			*rest++ = 0;
		rest += strspn(rest, " \t\n");
	}
	if (count < 4 || fields[0][0] == '#')
		return NULL;
	*entry = (struct mntent){ decode(fields[0]), decode(fields[1]), decode(fields[2]), decode(fields[3]),
				  fields[4] ? atoi(fields[4]) : 0,
				  fields[5] ? atoi(fields[5]) : 0 };
	return entry;
}

struct mntent *getmntent_r(FILE *stream, struct mntent *entry, char *text, int size)
{
	while (fgets(text, size, stream)) {
		// A line that is longer than the room is cut, and its rest skipped.
		if (!strchr(text, '\n'))
			for (int letter = 0; letter != EOF && letter != '\n';)
				letter = getc(stream);
		if (parse(text, entry))
			return entry;
	}
	return NULL;
}

struct mntent *getmntent(FILE *stream)
{
	static struct mntent entry;
	static char *line;
	static size_t room;

	while (getline(&line, &room, stream) > 0)
		if (parse(line, &entry))
			return &entry;
	return NULL;
}

char *hasmntopt(const struct mntent *entry, const char *option)
{
	size_t length = strlen(option);

	for (char *at = entry->mnt_opts; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
		if (!strncmp(at, option, length) && (!at[length] || at[length] == ',' || at[length] == '='))
			return at;
	return NULL;
}
