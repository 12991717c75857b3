// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Timers of signals: they end waits, of sleeps as of buffers, run their handlers, and end programs that have none.
// exits: 142
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "check.h"
#include "events.h"
#include "events.skel.h"

static volatile sig_atomic_t alarms;

static void on_alarm(int sig)
{
	CHECK_IS(sig, SIGALRM);
	alarms++;
}

static int on_event(void *context, void *data, size_t size)
{
	(void)context;
	(void)data;
	(void)size;
	return 0;
}

static long long ms_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

static void once(long ms)
{
	const struct itimerval in = { .it_value = { .tv_usec = ms * 1000 } };

	alarms = 0;
	CHECK_IS(setitimer(ITIMER_REAL, &in, NULL), 0);
}

#define CHECK_EINTR(call) \
	do { \
		once(20); \
		errno = 0; \
		CHECK_IS(call, -1); \
		CHECK_IS(errno, EINTR); \
		CHECK_IS(alarms, 1); \
	} while (0)

static void set(void)
{
	const struct itimerval wrong = { .it_value = { .tv_usec = 1000000 } }, off = {};
	const struct itimerval later = { .it_value = { .tv_sec = 10 }, .it_interval = { .tv_sec = 1, .tv_usec = 2 } };
	struct itimerval value;

	CHECK_IS(alarm(0), 0);
	CHECK_IS(alarm(100), 0);
	CHECK_IS(alarm(50), 100);
	CHECK_IS(setitimer(ITIMER_REAL, &later, &value), 0);
	CHECK_IS(value.it_value.tv_sec, 49);
	CHECK_IS(value.it_interval.tv_sec, 0);
	CHECK_IS(getitimer(ITIMER_REAL, &value), 0);
	CHECK_IS(value.it_value.tv_sec, 9);
	CHECK_IS(value.it_interval.tv_sec, 1);
	CHECK_IS(value.it_interval.tv_usec, 2);
	CHECK_IS(setitimer(ITIMER_REAL, &off, NULL), 0);
	CHECK_IS(getitimer(ITIMER_REAL, &value), 0);
	CHECK(!timerisset(&value.it_value));
	errno = 0;
	CHECK_IS(setitimer(ITIMER_REAL, &wrong, NULL), -1);
	CHECK_IS(errno, EINVAL);
	errno = 0;
	CHECK_IS(setitimer(ITIMER_PROF, &off, NULL), -1);
	CHECK_IS(errno, EINVAL);
	CHECK_IS(ualarm(500000, 0), 0);
	CHECK(ualarm(0, 0) > 400000);
}

static void waits(void)
{
	const struct timespec second = { .tv_sec = 1 };
	struct timespec left;
	struct pollfd none = { .fd = -1 };
	int epoll = epoll_create1(0);
	struct epoll_event event;
	long long begin;

	CHECK_EINTR(nanosleep(&second, &left));
	CHECK_IS(left.tv_sec, 0);
	CHECK(left.tv_nsec > 500000000);
	CHECK_EINTR(usleep(500000));
	CHECK_EINTR(pause());
	CHECK_EINTR(poll(&none, 1, -1));
	CHECK_EINTR(poll(NULL, 0, 1000));
	CHECK_EINTR(select(0, NULL, NULL, NULL, NULL));
	CHECK_EINTR(epoll_wait(epoll, &event, 1, -1));
	close(epoll);
	once(20);
	CHECK_IS(sleep(3), 2);
	once(20);
	CHECK_IS(clock_nanosleep(CLOCK_MONOTONIC, 0, &second, NULL), EINTR);

	// One that is ignored ends no wait, and one that comes later neither.
	signal(SIGALRM, SIG_IGN);
	once(5);
	begin = ms_now();
	CHECK_IS(usleep(30000), 0);
	CHECK(ms_now() - begin >= 30);
	signal(SIGALRM, on_alarm);
	once(50);
	CHECK_IS(usleep(1000), 0);
	CHECK_IS(alarms, 0);
	CHECK_IS(ualarm(0, 0) > 0, 1);

	// Again and again; what was missed is one.
	ualarm(10000, 10000);
	for (int i = 0; i < 3; i++)
		CHECK_IS(usleep(1000000), -1);
	CHECK_IS(alarms, 3);
	ualarm(0, 0);
}

// A signal that is blocked waits for a wait that lets it through, or that asks for it.
static void masks(void)
{
	const struct timespec moment = { .tv_nsec = 10000000 };
	sigset_t blocked, none;
	siginfo_t info;
	int sig, epoll = epoll_create1(0);
	struct epoll_event event;

	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGALRM);
	CHECK_IS(sigprocmask(SIG_BLOCK, &blocked, NULL), 0);
	once(5);
	CHECK_IS(usleep(20000), 0);
	CHECK_IS(alarms, 0);
	errno = 0;
	CHECK_IS(ppoll(NULL, 0, NULL, &none), -1);
	CHECK_IS(errno, EINTR);
	CHECK_IS(alarms, 1);
	once(5);
	usleep(20000);
	CHECK_IS(pselect(0, NULL, NULL, NULL, NULL, &none), -1);
	CHECK_IS(alarms, 1);
	once(5);
	usleep(20000);
	CHECK_IS(epoll_pwait(epoll, &event, 1, -1, &none), -1);
	CHECK_IS(alarms, 1);
	once(5);
	CHECK_IS(epoll_pwait2(epoll, &event, 1, NULL, &none), -1);
	CHECK_IS(alarms, 1);
	CHECK_IS(epoll_pwait2(epoll, &event, 1, &moment, NULL), 0);
	once(5);
	CHECK_IS(sigsuspend(&none), -1);
	CHECK_IS(errno, EINTR);
	CHECK_IS(alarms, 1);
	close(epoll);

	once(5);
	CHECK_IS(sigwait(&blocked, &sig), 0);
	CHECK_IS(sig, SIGALRM);
	once(5);
	CHECK_IS(sigwaitinfo(&blocked, &info), SIGALRM);
	CHECK_IS(info.si_signo, SIGALRM);
	errno = 0;
	CHECK_IS(sigtimedwait(&blocked, NULL, &moment), -1);
	CHECK_IS(errno, EAGAIN);
	CHECK_IS(alarms, 0);
	CHECK_IS(sigprocmask(SIG_UNBLOCK, &blocked, NULL), 0);
	CHECK_IS(alarms, 0);
}

static void buffers(void)
{
	struct events_bpf *skel = events_bpf__open_and_load();
	struct ring_buffer *rb;
	struct user_ring_buffer *user;
	long long begin;

	CHECK(skel);
	rb = ring_buffer__new(bpf_map__fd(skel->maps.ring), on_event, NULL, NULL);
	CHECK(rb);
	once(20);
	CHECK_ERR(ring_buffer__poll(rb, -1), EINTR);
	CHECK_IS(alarms, 1);
	CHECK_IS(ring_buffer__poll(rb, 1), 0);
	// Without waiting, a handler runs and nothing fails.
	once(1);
	begin = ms_now();
	while (!alarms) {
		CHECK_IS(ring_buffer__poll(rb, 0), 0);
		CHECK(ms_now() - begin < 1000);
	}
	once(1);
	while (!alarms)
		CHECK_IS(ring_buffer__consume(rb), 0);
	// Nor do other calls.
	once(1);
	while (!alarms)
		CHECK_IS(bpf_map_lookup_elem(bpf_map__fd(skel->maps.bss), &(int){ 0 }, &(char[64]){ 0 }), 0);

	user = user_ring_buffer__new(bpf_map__fd(skel->maps.from_user), NULL);
	CHECK(user);
	for (void *data; (data = user_ring_buffer__reserve(user, 1000));)
		user_ring_buffer__submit(user, data);
	once(20);
	CHECK_NULL(user_ring_buffer__reserve_blocking(user, 1000, -1), EINTR);
	CHECK_NULL(user_ring_buffer__reserve_blocking(user, 1000, -2), EINVAL);
	user_ring_buffer__free(user);
	ring_buffer__free(rb);
	events_bpf__destroy(skel);
}

int main(void)
{
	set();
	CHECK(signal(SIGALRM, on_alarm) == SIG_DFL);
	waits();
	masks();
	buffers();

	// Nobody handles it.
	signal(SIGALRM, SIG_DFL);
	once(5);
	sleep(5);
	return 1;
}
