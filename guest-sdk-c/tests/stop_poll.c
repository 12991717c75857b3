// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The request to stop runs the program's handler, which may call the library, and ends the wait for records; the program cleans up, and
// main's result is the exit code. What atexit() was given runs, and what was printed comes out.
// stopped: INT
// exits: 3
// says: left in the buffer of stdout, at the exit
#include <signal.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "check.h"
#include "events.h"
#include "events.skel.h"

static struct events_bpf *skel;
static volatile sig_atomic_t exiting;
static __u64 seen;

static void run(const struct bpf_program *program, int times)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	for (int i = 0; i < times; i++)
		CHECK_IS(bpf_prog_test_run_opts(bpf_program__fd(program), &opts), 0);
}

static void on_signal(int sig)
{
	__u32 zero = 0;
	char value[64];

	CHECK_IS(sig, SIGINT);
	CHECK_IS(bpf_map__value_size(skel->maps.bss) <= sizeof(value), 1);
	CHECK_IS(bpf_map__lookup_elem(skel->maps.bss, &zero, sizeof(zero), value, bpf_map__value_size(skel->maps.bss), 0), 0);
	exiting++;
}

static int on_event(void *context, void *data, size_t size)
{
	(void)context;
	(void)data;
	(void)size;
	seen++;
	return 0;
}

static void at_exit(void)
{
	printf("at the exit\n");
}

int main(void)
{
	struct ring_buffer *rb;

	atexit(at_exit);
	skel = events_bpf__open_and_load();
	CHECK(skel);
	rb = ring_buffer__new(bpf_map__fd(skel->maps.ring), on_event, NULL, NULL);
	CHECK(rb);
	CHECK(signal(SIGINT, on_signal) == SIG_DFL);
	puts("ready");
	fflush(stdout);

	// It ends one wait.
	CHECK_ERR(ring_buffer__poll(rb, -1), EINTR);
	CHECK_IS(exiting, 1);
	CHECK_IS(ring_buffer__poll(rb, 20), 0);
	CHECK_IS(ring_buffer__consume(rb), 0);
	CHECK_IS(usleep(1000), 0);
	run(skel->progs.to_ring, 5);
	CHECK_IS(ring_buffer__poll(rb, -1), 5);
	CHECK_IS(exiting, 1);
	ring_buffer__free(rb);
	events_bpf__destroy(skel);
	printf("left in the buffer of stdout, ");
	return 3;
}
