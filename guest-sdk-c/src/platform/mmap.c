// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// mmap(): memory of the guest, filled with a file, or kept as a copy of a map.
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "errors.h"
#include "globals.h"
#include "map_handle.h"

#define PAGE 4096

struct mapped {
	struct mapped *next;
	void *memory;
	size_t length;
	bool is_map;
};

static struct mapped *all;

// Like a map's memory in the kernel: each value of an array begins at a multiple of 8 bytes.
static int open_map(int fd, struct mapped *mapped, int protection, int flags, off_t offset)
{
	const struct wb_map *map = wb_map_at(fd);
	uint64_t size;

	if (!map)
		return -EBADF;
	if (map->type != BPF_MAP_TYPE_ARRAY || !(map->flags & BPF_F_MMAPABLE))
		return wb_refuse(EOPNOTSUPP,
				 "a guest maps the memory of arrays that were made with BPF_F_MMAPABLE; "
				 "ring buffers are read with ring_buffer__new");
	if (offset || (!(flags & MAP_SHARED) && protection & PROT_WRITE))
		return wb_refuse(EINVAL, "a map's memory is mapped from its beginning, and shared");
	size = (uint64_t)((map->value_size + 7) & ~7u) * (map->max_entries - 1) + map->value_size;
	if (mapped->length > ((size + PAGE - 1) & ~(uint64_t)(PAGE - 1)))
		return wb_refuse(EPERM, "a map of %llu bytes cannot be mapped as %zu bytes", (unsigned long long)size, mapped->length);
	mapped->is_map = true;
	// Also when it is only read: programs change it.
	return wb_globals_open(map->handle, "mapped memory", mapped->memory, size < mapped->length ? size : mapped->length, false);
}

static int read_file(int fd, const struct mapped *mapped, int protection, int flags, off_t offset)
{
	size_t done = 0;

	// What is written there could not reach the file.
	if (flags & MAP_SHARED && protection & PROT_WRITE)
		return wb_refuse(EOPNOTSUPP, "a guest maps files to read them, or privately");
	if (offset % PAGE)
		return -EINVAL;
	while (done < mapped->length) {
		ssize_t got = pread(fd, (char *)mapped->memory + done, mapped->length - done, offset + done);

		if (got < 0)
			return -errno;
		if (!got)
			break;
		done += got;
	}
	return 0;
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
	const int sharing = flags & (MAP_SHARED | MAP_PRIVATE);
	struct mapped *mapped;
	int err = 0;

	WB_CALL;
	if (!length || !sharing) {
		errno = EINVAL;
		return MAP_FAILED;
	}
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE) || protection & PROT_EXEC) {
		wb_refuse(EOPNOTSUPP, "a guest chooses no addresses, and executes nothing of its memory");
		return MAP_FAILED;
	}
	(void)address;
	mapped = calloc(1, sizeof(*mapped));
	if (mapped) {
		mapped->length = length;
		mapped->memory = length <= SIZE_MAX - 2 * PAGE ? aligned_alloc(PAGE, (length + PAGE - 1) & ~(size_t)(PAGE - 1)) : NULL;
	}
	if (!mapped || !mapped->memory) {
		free(mapped);
		errno = ENOMEM;
		return MAP_FAILED;
	}
	memset(mapped->memory, 0, (length + PAGE - 1) & ~(size_t)(PAGE - 1));
	if (!(flags & MAP_ANONYMOUS))
		err = wb_is_ours(fd) ? open_map(fd, mapped, protection, flags, offset) : read_file(fd, mapped, protection, flags, offset);
	if (err) {
		free(mapped->memory);
		free(mapped);
		errno = -err;
		return MAP_FAILED;
	}
	mapped->next = all;
	all = mapped;
	return mapped->memory;
}

int munmap(void *address, size_t length)
{
	for (struct mapped **link = &all; *link; link = &(*link)->next) {
		struct mapped *mapped = *link;

		if (mapped->memory != address)
			continue;
		// A part of it: it goes with the rest.
		if (length < mapped->length)
			return 0;
		if (mapped->is_map) {
			WB_CALL;
			wb_globals_close(mapped->memory);
		}
		*link = mapped->next;
		free(mapped->memory);
		free(mapped);
		return 0;
	}
	errno = EINVAL;
	return -1;
}

int mprotect(void *address, size_t length, int protection)
{
	(void)address;
	(void)length;
	if (!(protection & ~(PROT_READ | PROT_WRITE)) && protection & PROT_WRITE)
		return 0;
	errno = EOPNOTSUPP;
	return -1;
}

// What was changed is written where a call of the library begins.
int msync(void *address, size_t length, int flags)
{
	(void)address;
	(void)length;
	(void)flags;
	WB_CALL;
	return 0;
}

int madvise(void *address, size_t length, int advice)
{
	(void)address;
	(void)length;
	(void)advice;
	return 0;
}

int mlock(const void *address, size_t length)
{
	(void)address;
	(void)length;
	return 0;
}

int munlock(const void *address, size_t length)
{
	(void)address;
	(void)length;
	return 0;
}

int mlockall(int flags)
{
	(void)flags;
	return 0;
}

int munlockall(void)
{
	return 0;
}
