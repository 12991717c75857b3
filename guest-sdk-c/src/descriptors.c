// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "errors.h"

// One thing may have several numbers: after dup().
struct thing {
	const struct wb_operations *operations;
	void *it;
	unsigned int numbers;
	uint64_t serial;
};

static struct thing **table;
static int room;
static uint64_t last_serial;

// A number without a thing, lowest first as the kernel gives them; -1 if there is no memory.
static int free_number(void)
{
	struct thing **larger;
	int number, more;

	for (number = 0; number < room; number++) {
		if (!table[number])
			return number;
	}
	more = room ? room * 2 : 16;
	larger = realloc(table, more * sizeof(*table));
	if (!larger)
		return -1;
	for (int i = room; i < more; i++)
		larger[i] = NULL;
	table = larger;
	room = more;
	return number;
}

static struct thing *thing_of(int fd)
{
	return fd >= WB_FIRST_DESCRIPTOR && fd - WB_FIRST_DESCRIPTOR < room ? table[fd - WB_FIRST_DESCRIPTOR] : NULL;
}

int wb_descriptor_new(const struct wb_operations *operations, void *it)
{
	int number = free_number();
	struct thing *thing = number < 0 ? NULL : malloc(sizeof(*thing));

	if (!thing) {
		if (operations->release)
			operations->release(it);
		errno = ENOMEM;
		return -ENOMEM;
	}
	*thing = (struct thing){ .operations = operations, .it = it, .numbers = 1, .serial = ++last_serial };
	table[number] = thing;
	return WB_FIRST_DESCRIPTOR + number;
}

void *wb_descriptor_any(int fd, const struct wb_operations **operations)
{
	struct thing *thing = thing_of(fd);

	if (!thing)
		return NULL;
	if (operations)
		*operations = thing->operations;
	return thing->it;
}

void *wb_descriptor_get(int fd, enum wb_kind kind)
{
	struct thing *thing = thing_of(fd);

	if (!thing || thing->operations->kind != kind) {
		errno = EBADF;
		return NULL;
	}
	return thing->it;
}

void *wb_descriptor_as(int fd, const struct wb_operations *operations)
{
	struct thing *thing = thing_of(fd);

	if (thing && thing->operations == operations)
		return thing->it;
	errno = thing || (!wb_is_ours(fd) && fcntl(fd, F_GETFD) >= 0) ? EINVAL : EBADF;
	return NULL;
}

uint64_t wb_descriptor_serial(int fd)
{
	const struct thing *thing = thing_of(fd);

	return thing ? thing->serial : 0;
}

int wb_descriptor_duplicate(int fd)
{
	struct thing *thing = thing_of(fd);
	int number;

	if (!thing) {
		errno = EBADF;
		return -EBADF;
	}
	number = free_number();
	if (number < 0) {
		errno = ENOMEM;
		return -ENOMEM;
	}
	thing->numbers++;
	table[number] = thing;
	return WB_FIRST_DESCRIPTOR + number;
}

int wb_descriptor_close(int fd)
{
	struct thing *thing = thing_of(fd);

	if (!thing) {
		errno = EBADF;
		return -EBADF;
	}
	table[fd - WB_FIRST_DESCRIPTOR] = NULL;
	if (--thing->numbers)
		return 0;
	if (thing->operations->release)
		thing->operations->release(thing->it);
	free(thing);
	return 0;
}
