// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "descriptors.h"
#include "paths.h"
#include "waits/ready.h"
#include "waits/stop.h"

#define IN (EPOLLIN | EPOLLRDNORM)
#define OUT (EPOLLOUT | EPOLLWRNORM)

struct entry {
	int fd;
	uint64_t serial;
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

// What was closed is no more watched, whatever has its number now.
static void forget_closed(struct epoll *epoll)
{
	for (unsigned int i = 0; i < epoll->count;) {
		if (wb_descriptor_serial(epoll->entries[i].fd) == epoll->entries[i].serial)
			i++;
		else
			epoll->entries[i] = epoll->entries[--epoll->count];
	}
}

static bool wants(const struct entry *entry, uint32_t events)
{
	return !entry->is_disabled && (entry->event.events & events);
}

// As a descriptor in another wait, it is ready when one of its own is.
static int watch(void *it, struct wb_waits *waits, bool *in)
{
	struct epoll *epoll = it;
	int err = 0;

	forget_closed(epoll);
	for (unsigned int i = 0; !err && i < epoll->count; i++) {
		const struct entry *entry = &epoll->entries[i];

		err = wb_watch(waits, entry->fd, wants(entry, IN) ? in : NULL, wants(entry, OUT) ? in : NULL);
		if (err == -EBADF)
			err = 0;
	}
	return err;
}

static const struct wb_operations operations = { .kind = WB_EPOLL, .release = release, .watch = watch };

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

// As deep as Linux lets them be in each other.
#define DEEPEST 5

// Whether this one, or one deeper than so many levels, is inside the other.
static bool leads_to(const struct epoll *epoll, const struct epoll *wanted, int levels)
{
	if (epoll == wanted || !levels)
		return true;
	for (unsigned int i = 0; i < epoll->count; i++) {
		const struct wb_operations *inner_operations;
		const struct epoll *inner = wb_descriptor_any(epoll->entries[i].fd, &inner_operations);

		if (inner && inner_operations == &operations && leads_to(inner, wanted, levels - 1))
			return true;
	}
	return false;
}

// Whether it can be watched: 0, or the errno that Linux has.
static int check(const struct epoll *epoll, int fd)
{
	const struct wb_operations *of;
	void *it = wb_descriptor_any(fd, &of);

	if (!it && (wb_is_ours(fd) || fcntl(fd, F_GETFD) < 0))
		return EBADF;
	// Of files of wasi-libc, only the three that are no files on a disk.
	if (it ? !of->subscribe && !of->pollable && !of->watch : fd > STDERR_FILENO || wb_path_of(fd))
		return EPERM;
	return it && of == &operations && leads_to(it, epoll, DEEPEST - 1) ? ELOOP : 0;
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
	epoll->entries[epoll->count++] = (struct entry){ .fd = fd, .serial = wb_descriptor_serial(fd), .event = *event };
	return 0;
}

int epoll_ctl(int epfd, int operation, int fd, struct epoll_event *event)
{
	struct epoll *epoll = wb_descriptor_as(epfd, &operations);
	struct entry *entry;
	int error;

	if (!epoll)
		return -1;
	if (fd == epfd || (operation != EPOLL_CTL_DEL && !event))
		return failed(EINVAL);
	error = check(epoll, fd);
	if (error && (error != ELOOP || operation == EPOLL_CTL_ADD))
		return failed(error);
	forget_closed(epoll);
	entry = find(epoll, fd);
	switch (operation) {
	case EPOLL_CTL_ADD:
		return entry ? failed(EEXIST) : add(epoll, fd, event);
	case EPOLL_CTL_MOD:
		if (!entry)
			return failed(ENOENT);
		entry->event = *event;
		entry->is_disabled = false;
		return 0;
	case EPOLL_CTL_DEL:
		if (!entry)
			return failed(ENOENT);
		*entry = epoll->entries[--epoll->count];
		return 0;
	}
	return failed(EINVAL);
}

// Tells what is there, as far as there is room; how many. A handler may have changed the entries meanwhile.
static int tell(struct epoll *epoll, const struct wb_watched *watched, unsigned int count, struct epoll_event *events, int most)
{
	int given = 0;

	for (unsigned int turn = 0; turn < count && given < most; turn++) {
		const struct wb_watched *one = &watched[(epoll->first + turn) % count];
		struct entry *entry = one->is_in || one->is_out ? find(epoll, one->fd) : NULL;
		uint32_t there = 0;

		if (!entry)
			continue;
		if (one->is_in)
			there |= entry->event.events & IN;
		if (one->is_out)
			there |= entry->event.events & OUT;
		if (!there)
			continue;
		events[given++] = (struct epoll_event){ .events = there, .data = entry->event.data };
		entry->is_disabled = entry->event.events & EPOLLONESHOT;
	}
	epoll->first++;
	return given;
}

static int wait_for(int epfd, struct epoll_event *events, int most, int64_t timeout)
{
	struct epoll *epoll = wb_descriptor_as(epfd, &operations);
	struct wb_watched *watched;
	unsigned int count;
	int ready;

	if (!epoll)
		return -1;
	if (most <= 0)
		return failed(EINVAL);
	forget_closed(epoll);
	count = epoll->count;
	watched = calloc(count + 1, sizeof(*watched));
	if (!watched)
		return failed(ENOMEM);
	for (unsigned int i = 0; i < count; i++) {
		const struct entry *entry = &epoll->entries[i];

		watched[i] = (struct wb_watched){ .fd = entry->fd, .in = wants(entry, IN), .out = wants(entry, OUT) };
	}
	ready = wb_wait_ready(watched, count, timeout);
	if (ready > 0)
		ready = tell(epoll, watched, count, events, most);
	free(watched);
	return ready < 0 ? failed(-ready) : ready;
}

int epoll_wait(int epfd, struct epoll_event *events, int most, int timeout)
{
	return wait_for(epfd, events, most, wb_from_ms(timeout));
}

static int wait_masked(int epfd, struct epoll_event *events, int most, int64_t timeout, const sigset_t *mask)
{
	const uint64_t before = wb_signal_mask(mask ? mask->__bits : wb_signals_blocked());
	int ready = wait_for(epfd, events, most, timeout);

	wb_signal_mask(before);
	return ready;
}

int epoll_pwait(int epfd, struct epoll_event *events, int most, int timeout, const sigset_t *mask)
{
	return wait_masked(epfd, events, most, wb_from_ms(timeout), mask);
}

int epoll_pwait2(int epfd, struct epoll_event *events, int most, const struct timespec *timeout, const sigset_t *mask)
{
	if (timeout && (timeout->tv_sec < 0 || timeout->tv_nsec < 0 || timeout->tv_nsec > 999999999))
		return failed(EINVAL);
	return wait_masked(epfd, events, most, wb_from_timespec(timeout), mask);
}
