// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// poll(), select() and epoll over timers, signals, epolls in each other and files; what is closed is forgotten.
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "check.h"

#define FAILS(call, number) \
	do { \
		errno = 0; \
		CHECK_IS(call, -1); \
		CHECK_IS(errno, number); \
	} while (0)

static long long ms_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

static short polled(int fd, short events, int timeout)
{
	struct pollfd one = { .fd = fd, .events = events, .revents = -1 };
	int ready = poll(&one, 1, timeout);

	CHECK_IS(ready, one.revents != 0);
	return one.revents;
}

static int timer_in(long ms, long interval)
{
	const struct itimerspec value = {
		.it_value = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 },
		.it_interval = { .tv_sec = interval / 1000, .tv_nsec = interval % 1000 * 1000000 },
	};
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

	CHECK(fd >= 0);
	CHECK_IS(timerfd_settime(fd, 0, &value, NULL), 0);
	return fd;
}

static void timers(void)
{
	int fd = timer_in(30, 0), off = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
	long long begin = ms_now();
	struct itimerspec value;
	__u64 count;

	CHECK_IS(timerfd_gettime(fd, &value), 0);
	CHECK(value.it_value.tv_nsec > 1000000 && value.it_value.tv_nsec <= 30000000);
	CHECK_IS(polled(fd, POLLIN, 0), 0);
	CHECK_IS(read(fd, &count, sizeof(count)), sizeof(count));
	CHECK_IS(count, 1);
	CHECK(ms_now() - begin >= 29);
	CHECK_IS(timerfd_gettime(fd, &value), 0);
	CHECK(!value.it_value.tv_sec && !value.it_value.tv_nsec);
	CHECK_IS(polled(fd, POLLIN, 5), 0);
	close(fd);

	fd = timer_in(5, 5);
	CHECK_IS(polled(fd, POLLIN | POLLOUT, -1), POLLIN);
	usleep(22000);
	CHECK_IS(read(fd, &count, sizeof(count)), sizeof(count));
	CHECK(count >= 4 && count < 1000);
	CHECK_IS(timerfd_gettime(fd, &value), 0);
	CHECK_IS(value.it_interval.tv_nsec, 5000000);
	CHECK_IS(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	while (read(fd, &count, sizeof(count)) > 0)
		;
	CHECK_IS(errno, EAGAIN);
	FAILS(read(fd, &count, 4), EINVAL);
	close(fd);

	FAILS(read(off, &count, sizeof(count)), EAGAIN);
	CHECK_IS(clock_gettime(CLOCK_REALTIME, &value.it_value), 0);
	value.it_interval = (struct timespec){};
	value.it_value.tv_sec--;
	CHECK_IS(timerfd_settime(off, TFD_TIMER_ABSTIME, &value, &value), 0);
	CHECK_IS(value.it_value.tv_sec, 0);
	CHECK_IS(read(off, &count, sizeof(count)), sizeof(count));
	value.it_value.tv_nsec = 1000000000;
	FAILS(timerfd_settime(off, 0, &value, NULL), EINVAL);
	close(off);
	FAILS(timerfd_create(77, 0), EINVAL);
	FAILS(timerfd_create(CLOCK_MONOTONIC, 77), EINVAL);
	FAILS(timerfd_gettime(off, &value), EBADF);
	FAILS(timerfd_gettime(STDIN_FILENO, &value), EINVAL);
}

static void signals(void)
{
	struct signalfd_siginfo infos[3];
	sigset_t set, none;
	int fd;

	CHECK_IS(sizeof(*infos), 128);
	sigemptyset(&none);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGALRM);
	CHECK_IS(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	CHECK(fd >= 0);
	FAILS(read(fd, infos, sizeof(infos)), EAGAIN);
	CHECK_IS(polled(fd, POLLIN, 1), 0);
	raise(SIGUSR1);
	CHECK_IS(polled(fd, POLLIN, -1), POLLIN);
	alarm(1);
	// The second wakes the wait itself.
	CHECK_IS(read(fd, infos, sizeof(infos)), sizeof(*infos));
	CHECK_IS(infos[0].ssi_signo, SIGUSR1);
	CHECK_IS(polled(fd, POLLIN, 5000), POLLIN);
	raise(SIGUSR1);
	CHECK_IS(read(fd, infos, sizeof(infos)), 2 * sizeof(*infos));
	CHECK_IS(infos[0].ssi_signo + infos[1].ssi_signo, SIGUSR1 + SIGALRM);
	CHECK_IS(signalfd(fd, &none, 0), fd);
	raise(SIGUSR1);
	CHECK_IS(polled(fd, POLLIN, 0), 0);
	CHECK_IS(signalfd(fd, &set, 0), fd);
	CHECK_IS(read(fd, infos, sizeof(*infos)), sizeof(*infos));
	FAILS(read(fd, infos, 100), EINVAL);
	FAILS(signalfd(-1, &set, 77), EINVAL);
	FAILS(signalfd(STDIN_FILENO, &set, 0), EINVAL);
	FAILS(signalfd(4711, &set, 0), EBADF);
	close(fd);
	CHECK_IS(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
}

static void nested(void)
{
	int inner = epoll_create1(0), outer = epoll_create(1), timer = timer_in(20, 0), other = timer_in(60000, 0);
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = 1 }, got[4];
	fd_set in, out;

	CHECK_IS(epoll_ctl(outer, EPOLL_CTL_ADD, inner, &event), 0);
	CHECK_IS(epoll_wait(outer, got, 4, 0), 0);
	event.data.u32 = 2;
	CHECK_IS(epoll_ctl(inner, EPOLL_CTL_ADD, timer, &event), 0);
	event.data.u32 = 3;
	CHECK_IS(epoll_ctl(inner, EPOLL_CTL_ADD, other, &event), 0);
	FAILS(epoll_ctl(inner, EPOLL_CTL_ADD, outer, &event), ELOOP);
	FAILS(epoll_ctl(inner, EPOLL_CTL_ADD, inner, &event), EINVAL);
	CHECK_IS(polled(outer, POLLIN, 1), 0);
	CHECK_IS(epoll_wait(outer, got, 4, -1), 1);
	CHECK_IS(got[0].data.u32, 1);
	CHECK_IS(polled(outer, POLLIN | POLLOUT, 0), POLLIN);
	CHECK_IS(epoll_wait(inner, got, 4, -1), 1);
	CHECK_IS(got[0].data.u32, 2);
	FD_ZERO(&in);
	FD_ZERO(&out);
	FD_SET(inner, &in);
	FD_SET(other, &in);
	FD_SET(STDOUT_FILENO, &out);
	CHECK_IS(select(other + 1, &in, &out, NULL, NULL), 2);
	CHECK(FD_ISSET(inner, &in) && !FD_ISSET(other, &in) && FD_ISSET(STDOUT_FILENO, &out));

	// What is closed is gone, also when its number is another's.
	CHECK_IS(close(timer), 0);
	CHECK_IS(timer_in(0, 1), timer);
	usleep(2000);
	CHECK_IS(epoll_wait(inner, got, 4, 1), 0);
	FAILS(epoll_ctl(inner, EPOLL_CTL_DEL, timer, NULL), ENOENT);
	CHECK_IS(close(timer), 0);
	FAILS(epoll_ctl(inner, EPOLL_CTL_ADD, timer, &event), EBADF);
	close(inner);
	close(outer);
	close(other);
}

static void files(void)
{
	struct epoll_event event = { .events = EPOLLOUT, .data.u64 = 7 }, got;
	int epoll = epoll_create1(EPOLL_CLOEXEC), map = bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, 4, 4, 1, NULL);

	CHECK(map >= 0);
	FAILS(epoll_create1(77), EINVAL);
	FAILS(epoll_create(0), EINVAL);
	FAILS(epoll_ctl(map, EPOLL_CTL_ADD, epoll, &event), EINVAL);
	FAILS(epoll_ctl(4711, EPOLL_CTL_ADD, epoll, &event), EBADF);
	FAILS(epoll_wait(epoll, &got, 0, 0), EINVAL);
	FAILS(epoll_wait(map, &got, 1, 0), EINVAL);
	CHECK_IS(epoll_ctl(epoll, EPOLL_CTL_ADD, STDOUT_FILENO, &event), 0);
	CHECK_IS(epoll_wait(epoll, &got, 1, -1), 1);
	CHECK_IS(got.events, EPOLLOUT);
	CHECK_IS(got.data.u64, 7);
	FAILS(epoll_ctl(epoll, 77, STDOUT_FILENO, &event), EINVAL);
	CHECK_IS(polled(STDOUT_FILENO, POLLOUT, 0), POLLOUT);
	CHECK_IS(polled(4711, POLLOUT, -1), POLLNVAL);
	CHECK_IS(polled(-1, POLLOUT, 0), 0);
	close(map);
	close(epoll);
}

int main(void)
{
	timers();
	signals();
	nested();
	files();
	return 0;
}
