// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The request to stop comes while a callback is at work: the handler runs at the end of what it calls, all records are still handed out,
// and no call fails. No wait that comes later is interrupted once more.
// stopped: TERM
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "check.h"
#include "events.h"
#include "events.skel.h"

static struct events_bpf *skel;
static volatile sig_atomic_t handled;
static __u64 seen;

static void on_signal(int sig)
{
	CHECK_IS(sig, SIGTERM);
	handled++;
}

static int on_event(void *context, void *data, size_t size)
{
	(void)context;
	(void)data;
	(void)size;
	__u32 zero = 0;

	if (!seen++) {
		char value[64];

		puts("ready");
		fflush(stdout);
		while (!handled)
			CHECK_IS(bpf_map_lookup_elem(bpf_map__fd(skel->maps.bss), &zero, value), 0);
	}
	return 0;
}

int main(void)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	struct pollfd polled = { .events = POLLIN };
	struct ring_buffer *rb;

	skel = events_bpf__open_and_load();
	CHECK(skel);
	rb = ring_buffer__new(bpf_map__fd(skel->maps.ring), on_event, NULL, NULL);
	CHECK(rb);
	CHECK(signal(SIGTERM, on_signal) == SIG_DFL);
	for (int i = 0; i < 100; i++)
		CHECK_IS(bpf_prog_test_run_opts(bpf_program__fd(skel->progs.to_ring), &opts), 0);
	CHECK_IS(ring_buffer__poll(rb, -1), 100);
	CHECK_IS(seen, 100);
	CHECK_IS(handled, 1);
	polled.fd = ring_buffer__epoll_fd(rb);
	CHECK_IS(poll(&polled, 1, 10), 0);
	CHECK_IS(ring_buffer__poll(rb, 10), 0);
	CHECK_IS(usleep(10000), 0);
	CHECK_IS(handled, 1);
	ring_buffer__free(rb);
	events_bpf__destroy(skel);
	return 0;
}
