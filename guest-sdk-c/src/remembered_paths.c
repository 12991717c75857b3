// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The paths that the fds of wasi-libc were opened by.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "paths.h"

// By fd: wasi-libc gives out the lowest number that is free.
static char **paths;
static int room;

int (*volatile wb_path_opener)(int fd, wasi_filesystem_types_own_descriptor_t *descriptor);

const char *wb_path_of(int fd)
{
	return fd >= 0 && fd < room ? paths[fd] : NULL;
}

void wb_forget_path(int fd)
{
	if (fd < 0 || fd >= room)
		return;
	free(paths[fd]);
	paths[fd] = NULL;
}

char *wb_absolute_path(const char *path)
{
	char *absolute, *directory;
	size_t length;

	if (path[0] == '/')
		return strdup(path);
	directory = getcwd(NULL, 0);
	if (!directory)
		return NULL;
	length = strlen(directory);
	if (length && directory[length - 1] == '/')
		length--;
	absolute = malloc(length + 1 + strlen(path) + 1);
	if (absolute) {
		memcpy(absolute, directory, length);
		absolute[length] = '/';
		strcpy(absolute + length + 1, path);
	}
	free(directory);
	return absolute;
}

int wb_remember_path(int fd, const char *path)
{
	char *absolute;

	if (fd < 0)
		return 0;
	wb_path_opener = wb_open_path_of;
	if (fd >= room) {
		int more = fd + 16;
		char **grown = realloc(paths, more * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		memset(grown + room, 0, (more - room) * sizeof(*grown));
		paths = grown;
		room = more;
	}
	absolute = wb_absolute_path(path);
	if (!absolute)
		return -ENOMEM;
	free(paths[fd]);
	paths[fd] = absolute;
	return 0;
}
