// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Ring buffers: records in their order, what a callback refuses, several rings, waits that end, descriptors that can be polled.
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "check.h"
#include "events.h"
#include "events.skel.h"

struct seen {
	__u64 count, last, refuse_at;
};

static int on_event(void *context, void *data, size_t size)
{
	struct seen *seen = context;
	const struct event *event = data;

	CHECK_IS(size, sizeof(*event));
	if (seen->refuse_at && seen->count + 1 == seen->refuse_at) {
		seen->refuse_at = 0;
		return -ECANCELED;
	}
	seen->last = event->number;
	seen->count++;
	return 0;
}

static struct events_bpf *skel;

// Runs a program so often.
static void run(const struct bpf_program *program, unsigned int times)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	for (unsigned int i = 0; i < times; i++)
		CHECK_IS(bpf_prog_test_run_opts(bpf_program__fd(program), &opts), 0);
}

static __u64 ms_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ull + now.tv_nsec / 1000000;
}

static void records(void)
{
	struct seen seen = {};
	struct ring_buffer *rb = ring_buffer__new(bpf_map__fd(skel->maps.ring), on_event, &seen, NULL);

	CHECK(rb);
	CHECK_IS(ring_buffer__consume(rb), 0);
	CHECK_IS(ring_buffer__poll(rb, 0), 0);
	run(skel->progs.to_ring, 10);
	CHECK_IS(ring_buffer__poll(rb, -1), 10);
	CHECK_IS(seen.count, 10);
	CHECK_IS(seen.last, skel->bss->sent - 1);

	// Records that the program took back are passed over.
	run(skel->progs.discards, 3);
	run(skel->progs.to_ring, 1);
	CHECK_IS(ring_buffer__consume(rb), 1);

	// What comes after a record that a callback refuses is not lost.
	seen = (struct seen){ .refuse_at = 3 };
	run(skel->progs.to_ring, 6);
	CHECK_ERR(ring_buffer__consume(rb), ECANCELED);
	CHECK_IS(seen.count, 2);
	CHECK_IS(ring_buffer__consume(rb), 3);
	CHECK_IS(seen.last, skel->bss->sent - 1);

	run(skel->progs.to_ring, 6);
	CHECK_IS(ring_buffer__consume_n(rb, 4), 4);
	CHECK_IS(ring_buffer__consume_n(rb, 4), 2);

	// A ring that is full takes no more, and the program is told.
	run(skel->progs.to_ring, 300);
	CHECK(skel->bss->refused > 0);
	// The kernel leaves room for one.
	CHECK_IS(ring_buffer__consume(rb), 4096 / 16 - 1);
	ring_buffer__free(rb);
}

static void waits(void)
{
	struct seen seen = {};
	struct ring_buffer *rb = ring_buffer__new(bpf_map__fd(skel->maps.ring), on_event, &seen, NULL);
	__u64 begin = ms_now();

	CHECK_IS(ring_buffer__poll(rb, 50), 0);
	CHECK(ms_now() - begin >= 50);
	ring_buffer__free(rb);
}

static void several(void)
{
	struct seen one = {}, other = {};
	struct ring_buffer *rb = ring_buffer__new(bpf_map__fd(skel->maps.ring), on_event, &one, NULL);
	struct ring *ring;

	struct pollfd polled = { .fd = ring_buffer__epoll_fd(rb), .events = POLLIN };

	CHECK_IS(poll(&polled, 1, 0), 0);
	CHECK_IS(ring_buffer__add(rb, bpf_map__fd(skel->maps.other_ring), on_event, &other), 0);
	CHECK_IS(poll(&polled, 1, 0), 0);
	run(skel->progs.to_other, 1);
	CHECK_IS(poll(&polled, 1, 1000), 1);
	CHECK_IS(ring_buffer__consume(rb), 1);
	other = (struct seen){};
	run(skel->progs.to_ring, 5);
	run(skel->progs.to_other, 7);
	ring = ring_buffer__ring(rb, 1);
	CHECK(ring);
	CHECK_IS(ring__size(ring), 4096);
	CHECK(ring__map_fd(ring) >= 0);
	CHECK_IS(ring__avail_data_size(ring), 7 * 16);
	CHECK_IS(ring__consume_n(ring, 3), 3);
	CHECK_IS(ring__consume(ring), 4);
	CHECK_IS(one.count, 0);
	CHECK_IS(ring_buffer__consume(rb), 5);
	CHECK_IS(one.count, 5);
	CHECK_IS(other.count, 7);

	// A callback of one ring refuses a record: what had come with it of the other is still found there.
	run(skel->progs.to_ring, 2);
	run(skel->progs.to_other, 3);
	one.refuse_at = one.count + 1;
	CHECK_ERR(ring_buffer__poll(rb, -1), ECANCELED);
	CHECK_IS(ring__avail_data_size(ring), 3 * 16);
	run(skel->progs.to_other, 2);
	CHECK_IS(ring__avail_data_size(ring), 5 * 16);
	CHECK_IS(ring__consume_n(ring, 1), 1);
	CHECK_IS(ring__avail_data_size(ring), 4 * 16);
	other.refuse_at = other.count + 1;
	CHECK_ERR(ring__consume(ring), ECANCELED);
	CHECK_IS(ring__consume(ring), 3);
	CHECK_IS(other.last, skel->bss->sent - 1);
	CHECK_IS(ring__consume(ring_buffer__ring(rb, 0)), 1);
	CHECK_IS(ring_buffer__consume(rb), 0);
	CHECK_ERR(ring_buffer__add(rb, bpf_map__fd(skel->maps.perf), on_event, NULL), EINVAL);
	CHECK_ERR(ring_buffer__add(rb, -1, on_event, NULL), EBADF);
	CHECK_NULL(ring_buffer__ring(rb, 2), ERANGE);
	ring_buffer__free(rb);
}

static void polled(void)
{
	struct seen seen = {};
	struct ring_buffer *rb = ring_buffer__new(bpf_map__fd(skel->maps.ring), on_event, &seen, NULL);
	int fd = ring_buffer__epoll_fd(rb), epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 77 }, got[2];
	struct pollfd polled[2] = { { .fd = fd, .events = POLLIN }, { .fd = STDOUT_FILENO, .events = POLLOUT } };
	struct timeval time = { .tv_usec = 1000 };
	fd_set set;

	CHECK(fd >= 0);
	CHECK(epoll >= 0);
	CHECK_IS(ring_buffer__epoll_fd(rb), fd);
	CHECK_IS(poll(polled, 1, 1), 0);
	CHECK_IS(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), 0);
	errno = 0;
	CHECK_IS(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), -1);
	CHECK_IS(errno, EEXIST);
	CHECK_IS(epoll_wait(epoll, got, 2, 1), 0);
	FD_ZERO(&set);
	FD_SET(fd, &set);
	CHECK_IS(select(fd + 1, &set, NULL, NULL, &time), 0);
	CHECK(!FD_ISSET(fd, &set));

	run(skel->progs.to_ring, 1);
	CHECK_IS(poll(polled, 2, -1), 2);
	CHECK_IS(polled[0].revents, POLLIN);
	CHECK_IS(polled[1].revents, POLLOUT);
	CHECK_IS(epoll_wait(epoll, got, 2, -1), 1);
	CHECK_IS(got[0].data.u64, 77);
	CHECK_IS(got[0].events, EPOLLIN);
	FD_SET(fd, &set);
	CHECK_IS(select(fd + 1, &set, NULL, NULL, NULL), 1);
	CHECK(FD_ISSET(fd, &set));
	CHECK_IS(ring_buffer__consume(rb), 1);
	CHECK_IS(poll(polled, 1, 0), 0);

	// What a callback left is there, though the ring is empty.
	run(skel->progs.to_ring, 2);
	CHECK_IS(ring_buffer__consume_n(rb, 1), 1);
	CHECK_IS(poll(polled, 1, 0), 1);
	CHECK_IS(ring_buffer__consume(rb), 1);
	CHECK_IS(poll(polled, 1, 0), 0);

	// One event, and then silence until it is armed again.
	event.events |= EPOLLONESHOT;
	CHECK_IS(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event), 0);
	run(skel->progs.to_ring, 1);
	CHECK_IS(epoll_wait(epoll, got, 2, -1), 1);
	CHECK_IS(epoll_wait(epoll, got, 2, 1), 0);
	CHECK_IS(epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL), 0);
	errno = 0;
	CHECK_IS(epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL), -1);
	CHECK_IS(errno, ENOENT);
	CHECK_IS(close(epoll), 0);
	errno = 0;
	CHECK_IS(epoll_wait(epoll, got, 2, 0), -1);
	CHECK_IS(errno, EBADF);

	polled[0].fd = 0x7fffff;
	CHECK_IS(poll(polled, 1, 0), 1);
	CHECK_IS(polled[0].revents, POLLNVAL);
	ring_buffer__free(rb);
}

static void refused(void)
{
	const struct ring_buffer_opts small = { .sz = 1 };

	CHECK_NULL(ring_buffer__new(bpf_map__fd(skel->maps.perf), on_event, NULL, NULL), EINVAL);
	CHECK_NULL(ring_buffer__new(12345678, on_event, NULL, NULL), EBADF);
	CHECK_NULL(ring_buffer__new(bpf_map__fd(skel->maps.ring), on_event, NULL, &small), EINVAL);
	ring_buffer__free(NULL);
}

int main(void)
{
	skel = events_bpf__open_and_load();
	CHECK(skel);
	records();
	waits();
	several();
	polled();
	refused();
	events_bpf__destroy(skel);
	return 0;
}
