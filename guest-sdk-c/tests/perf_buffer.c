// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Perf buffers: records and the CPU that they come from, what is lost, waits that end.
#include <poll.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "check.h"
#include "events.h"
#include "events.skel.h"

struct seen {
	__u64 count, last, lost;
	int cpu;
};

static struct events_bpf *skel;

static void on_event(void *context, int cpu, void *data, __u32 size)
{
	struct seen *seen = context;
	const struct event *event = data;

	CHECK(size >= sizeof(*event));
	seen->cpu = cpu;
	seen->last = event->number;
	seen->count++;
}

static void on_lost(void *context, int cpu, __u64 count)
{
	struct seen *seen = context;

	CHECK(cpu >= 0);
	seen->lost += count;
}

static void run(unsigned int times)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .flags = BPF_F_TEST_RUN_ON_CPU, .cpu = 0);

	for (unsigned int i = 0; i < times; i++)
		CHECK_IS(bpf_prog_test_run_opts(bpf_program__fd(skel->progs.to_perf), &opts), 0);
}

int main(void)
{
	const struct perf_buffer_opts small = { .sz = 1 };
	struct seen seen = {};
	struct pollfd polled = { .events = POLLIN };
	struct perf_buffer *pb;
	size_t buffers;

	skel = events_bpf__open_and_load();
	CHECK(skel);
	CHECK_NULL(perf_buffer__new(bpf_map__fd(skel->maps.perf), 3, on_event, on_lost, NULL, NULL), EINVAL);
	CHECK_NULL(perf_buffer__new(bpf_map__fd(skel->maps.ring), 1, on_event, on_lost, NULL, NULL), EINVAL);
	CHECK_NULL(perf_buffer__new(12345678, 1, on_event, on_lost, NULL, NULL), EBADF);
	CHECK_NULL(perf_buffer__new(bpf_map__fd(skel->maps.perf), 1, on_event, on_lost, NULL, &small), EINVAL);

	pb = perf_buffer__new(bpf_map__fd(skel->maps.perf), 1, on_event, on_lost, &seen, NULL);
	CHECK(pb);
	buffers = perf_buffer__buffer_cnt(pb);
	CHECK(buffers >= 1 && buffers <= (size_t)libbpf_num_possible_cpus());
	polled.fd = perf_buffer__epoll_fd(pb);
	CHECK(polled.fd >= 0);
	CHECK_IS(perf_buffer__poll(pb, 0), 0);
	CHECK_IS(poll(&polled, 1, 1), 0);
	run(10);
	CHECK_IS(poll(&polled, 1, -1), 1);
	CHECK_IS(perf_buffer__poll(pb, -1), 1);
	CHECK_IS(seen.count, 10);
	CHECK_IS(seen.last, skel->bss->sent - 1);
	CHECK_IS(seen.cpu, 0);

	run(2);
	CHECK_IS(perf_buffer__consume_buffer(pb, 0), 0);
	CHECK_IS(seen.count, 12);
	CHECK_ERR(perf_buffer__consume_buffer(pb, buffers), EINVAL);
	run(2);
	CHECK_IS(perf_buffer__consume(pb), 0);
	CHECK_IS(seen.count, 14);

	// More than a page of records: what has no room is counted.
	seen = (struct seen){};
	for (int i = 0; i < 400; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, opts, .flags = BPF_F_TEST_RUN_ON_CPU, .cpu = 0);

		bpf_prog_test_run_opts(bpf_program__fd(skel->progs.to_perf), &opts);
	}
	CHECK_IS(perf_buffer__consume(pb), 0);
	CHECK(seen.count > 100 && seen.count < 400);
	// Some kernels tell of the loss with the next record.
	run(1);
	CHECK_IS(perf_buffer__consume(pb), 0);
	CHECK_IS(seen.count + seen.lost, 401);
	perf_buffer__free(pb);
	perf_buffer__free(NULL);
	events_bpf__destroy(skel);
	return 0;
}
