// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "platform/proc.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "platform/files.h"

bool wb_read_line(const char *path, char *line, size_t room)
{
	int saved = errno, fd = wb_open_to_read(path);
	size_t length = 0;
	ssize_t got = fd < 0 ? -1 : 0;

	while (fd >= 0 && length < room - 1) {
		got = read(fd, line + length, room - 1 - length);
		if (got <= 0)
			break;
		length += got;
	}
	if (fd >= 0)
		close(fd);
	line[got < 0 ? 0 : length] = 0;
	line[strcspn(line, "\n")] = 0;
	errno = saved;
	return got >= 0;
}
