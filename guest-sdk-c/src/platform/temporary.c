// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Files and folders with names that nobody has.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TRIES 100

static void choose(char *pattern)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

	for (char *at = pattern + strlen(pattern) - 6; *at; at++)
		*at = letters[arc4random_uniform(sizeof(letters) - 1)];
}

static bool is_pattern(const char *pattern)
{
	size_t length = strlen(pattern);

	if (length >= 6 && !strcmp(pattern + length - 6, "XXXXXX"))
		return true;
	errno = EINVAL;
	return false;
}

int mkostemp(char *pattern, int flags)
{
	if (!is_pattern(pattern))
		return -1;
	for (int i = 0; i < TRIES; i++) {
		int fd;

		choose(pattern);
		fd = open(pattern, O_RDWR | O_CREAT | O_EXCL | (flags & ~O_ACCMODE), 0600);

		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	return -1;
}

int mkstemp(char *pattern)
{
	return mkostemp(pattern, 0);
}

char *mkdtemp(char *pattern)
{
	if (!is_pattern(pattern))
		return NULL;
	for (int i = 0; i < TRIES; i++) {
		choose(pattern);
		if (!mkdir(pattern, 0700))
			return pattern;
		if (errno != EEXIST)
			return NULL;
	}
	return NULL;
}

FILE *tmpfile(void)
{
	char path[] = "/tmp/tmpfXXXXXX";
	int fd = mkstemp(path);
	FILE *stream;

	if (fd < 0)
		return NULL;
	unlink(path);
	stream = fdopen(fd, "w+");
	if (!stream)
		close(fd);
	return stream;
}
