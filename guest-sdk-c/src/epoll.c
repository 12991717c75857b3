// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "descriptors.h"
#include "ready.h"

struct entry {
	int fd;
	struct epoll_event event;
	bool is_disabled; // EPOLLONESHOT, after its event
};

struct epoll {
	struct entry *entries;
	unsigned int count, room;
	// Where the next wait begins, so that no descriptor starves when there are more events than room for them.
	unsigned int first;
};

static void release(void *it)
{
	struct epoll *epoll = it;

	free(epoll->entries);
	free(epoll);
}

static const struct wb_operations operations = { .kind = WB_EPOLL, .release = release };

static int failed(int error)
{
	errno = error;
	return -1;
}

int epoll_create1(int flags)
{
	struct epoll *epoll;
	int fd;

	if (flags & ~EPOLL_CLOEXEC)
		return failed(EINVAL);
	epoll = calloc(1, sizeof(*epoll));
	if (!epoll)
		return failed(ENOMEM);
	fd = wb_descriptor_new(&operations, epoll);
	return fd < 0 ? failed(-fd) : fd;
}

int epoll_create(int size)
{
	return size > 0 ? epoll_create1(0) : failed(EINVAL);
}

static struct entry *find(const struct epoll *epoll, int fd)
{
	for (unsigned int i = 0; i < epoll->count; i++) {
		if (epoll->entries[i].fd == fd)
			return &epoll->entries[i];
	}
	return NULL;
}

static int add(struct epoll *epoll, int fd, const struct epoll_event *event)
{
	if (epoll->count == epoll->room) {
		unsigned int room = epoll->room ? epoll->room * 2 : 4;
		struct entry *larger = realloc(epoll->entries, room * sizeof(*larger));

		if (!larger)
			return failed(ENOMEM);
		epoll->entries = larger;
		epoll->room = room;
	}
	epoll->entries[epoll->count++] = (struct entry){ .fd = fd, .event = *event };
	return 0;
}

int epoll_ctl(int epfd, int operation, int fd, struct epoll_event *event)
{
	struct epoll *epoll = wb_descriptor_get(epfd, WB_EPOLL);
	struct wb_watched watched = { .fd = fd, .in = true };
	struct entry *entry;

	if (!epoll)
		return -1;
	if (fd == epfd || (operation != EPOLL_CTL_DEL && !event))
		return failed(EINVAL);
	if (wb_wait_ready(&watched, 1, 0) >= 0 && watched.is_invalid)
		return failed(EBADF);
	entry = find(epoll, fd);
	switch (operation) {
	case EPOLL_CTL_ADD:
		return entry ? failed(EEXIST) : add(epoll, fd, event);
	case EPOLL_CTL_MOD:
		if (!entry)
			return failed(ENOENT);
		*entry = (struct entry){ .fd = fd, .event = *event };
		return 0;
	case EPOLL_CTL_DEL:
		if (!entry)
			return failed(ENOENT);
		*entry = epoll->entries[--epoll->count];
		return 0;
	}
	return failed(EINVAL);
}

int epoll_wait(int epfd, struct epoll_event *events, int most, int timeout)
{
	struct epoll *epoll = wb_descriptor_get(epfd, WB_EPOLL);
	struct wb_watched *watched;
	int ready, given = 0;

	if (!epoll)
		return -1;
	if (most <= 0)
		return failed(EINVAL);
	watched = calloc(epoll->count + 1, sizeof(*watched));
	if (!watched)
		return failed(ENOMEM);
	for (unsigned int i = 0; i < epoll->count; i++) {
		const struct entry *entry = &epoll->entries[i];

		watched[i].fd = entry->fd;
		watched[i].in = !entry->is_disabled && (entry->event.events & (EPOLLIN | EPOLLRDNORM));
		watched[i].out = !entry->is_disabled && (entry->event.events & (EPOLLOUT | EPOLLWRNORM));
	}
	ready = wb_wait_ready(watched, epoll->count, timeout);
	for (unsigned int turn = 0; ready > 0 && turn < epoll->count && given < most; turn++) {
		unsigned int i = (epoll->first + turn) % epoll->count;
		struct entry *entry = &epoll->entries[i];
		uint32_t there = 0;

		if (watched[i].is_in)
			there |= entry->event.events & (EPOLLIN | EPOLLRDNORM);
		if (watched[i].is_out)
			there |= entry->event.events & (EPOLLOUT | EPOLLWRNORM);
		if (watched[i].is_invalid || entry->is_disabled || !there)
			continue;
		events[given++] = (struct epoll_event){ .events = there, .data = entry->event.data };
		entry->is_disabled = entry->event.events & EPOLLONESHOT;
	}
	if (epoll->count)
		epoll->first = (epoll->first + 1) % epoll->count;
	free(watched);
	return ready < 0 ? failed(-ready) : given;
}

int epoll_pwait(int epfd, struct epoll_event *events, int most, int timeout, const sigset_t *mask)
{
	sigset_t before;
	int result;

	if (!mask)
		return epoll_wait(epfd, events, most, timeout);
	sigprocmask(SIG_SETMASK, mask, &before);
	result = epoll_wait(epfd, events, most, timeout);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return result;
}
