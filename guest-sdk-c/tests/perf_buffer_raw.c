// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Perf buffers with events as the kernel lays them out, and callbacks that have enough or fail.
#include <linux/perf_event.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "check.h"
#include "events.h"
#include "events.skel.h"

struct seen {
	__u64 count, last, lost;
	int cpu;
	enum bpf_perf_event_ret answer;
};

struct sample {
	struct perf_event_header header;
	__u32 size;
	char data[];
};

struct loss {
	struct perf_event_header header;
	__u64 id, lost;
};

static struct events_bpf *skel;

static enum bpf_perf_event_ret on_event(void *context, int cpu, struct perf_event_header *event)
{
	struct seen *seen = context;

	seen->cpu = cpu;
	if (event->type == PERF_RECORD_LOST) {
		CHECK_IS(event->size, sizeof(struct loss));
		seen->lost += ((const struct loss *)event)->lost;
		return LIBBPF_PERF_EVENT_CONT;
	}
	const struct sample *sample = (const struct sample *)event;
	struct event data;

	CHECK_IS(event->type, PERF_RECORD_SAMPLE);
	CHECK_IS(event->size, sizeof(*sample) + sample->size);
	CHECK(sample->size >= sizeof(data));
	memcpy(&data, sample->data, sizeof(data));
	seen->last = data.number;
	seen->count++;
	return seen->answer;
}

static void run(unsigned int times, int cpu)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .flags = BPF_F_TEST_RUN_ON_CPU, .cpu = cpu);

	for (unsigned int i = 0; i < times; i++)
		CHECK_IS(bpf_prog_test_run_opts(bpf_program__fd(skel->progs.to_perf), &opts), 0);
}

int main(void)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr), .type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_BPF_OUTPUT, .sample_type = PERF_SAMPLE_RAW, .sample_period=1,.wakeup_events=1,
	};
	struct perf_event_attr other = attr;
	const struct perf_buffer_raw_opts small = { .sz = 1 };
	LIBBPF_OPTS(perf_buffer_raw_opts, some, .cpu_cnt = 1);
	struct seen seen = { .answer = LIBBPF_PERF_EVENT_CONT };
	struct perf_buffer *pb;
	int map;

	skel = events_bpf__open_and_load();
	CHECK(skel);
	map = bpf_map__fd(skel->maps.perf);
	CHECK_NULL(perf_buffer__new_raw(map, 1, NULL, on_event, NULL, NULL), EINVAL);
	CHECK_NULL(perf_buffer__new_raw(map, 1, &attr, on_event, NULL, &small), EINVAL);
	CHECK_NULL(perf_buffer__new_raw(map, 1, &attr, on_event, NULL, &some), EOPNOTSUPP);
	other.sample_type |= PERF_SAMPLE_TIME;
	CHECK_NULL(perf_buffer__new_raw(map, 1, &other, on_event, NULL, NULL), EOPNOTSUPP);

	pb = perf_buffer__new_raw(map, 1, &attr, on_event, &seen, NULL);
	CHECK(pb);
	run(3, 0);
	CHECK_IS(perf_buffer__poll(pb, -1), 1);
	CHECK_IS(seen.count, 3);
	CHECK_IS(seen.cpu, 0);
	CHECK_IS(seen.last, skel->bss->sent - 1);

	// One at a time, as long as that is enough.
	run(3, 0);
	seen.answer = LIBBPF_PERF_EVENT_DONE;
	CHECK_IS(perf_buffer__poll(pb, -1), 1);
	CHECK_IS(seen.count, 4);
	CHECK_IS(perf_buffer__consume_buffer(pb, 0), 0);
	CHECK_IS(seen.count, 5);

	seen.answer = LIBBPF_PERF_EVENT_ERROR;
	CHECK_ERR(perf_buffer__poll(pb, -1), 1);
	CHECK_IS(seen.count, 6);
	seen.answer = LIBBPF_PERF_EVENT_CONT;
	CHECK_IS(perf_buffer__poll(pb, 0), 0);

	// All of them, but for what had no room.
	run(400, 0);
	CHECK_IS(perf_buffer__consume(pb), 0);
	run(1, 0);
	CHECK_IS(perf_buffer__consume(pb), 0);
	CHECK(seen.lost > 0);
	CHECK_IS(seen.count + seen.lost, 6 + 401);

	// Each CPU by itself: what came of the other is not lost.
	if (perf_buffer__buffer_cnt(pb) > 1) {
		seen.count = 0;
		run(2, 1);
		run(3, 0);
		CHECK_IS(perf_buffer__consume_buffer(pb, 0), 0);
		CHECK_IS(seen.count, 3);
		CHECK_IS(seen.cpu, 0);
		run(1, 1);
		CHECK_IS(perf_buffer__consume_buffer(pb, 1), 0);
		CHECK_IS(seen.count, 6);
		CHECK_IS(seen.cpu, 1);
		CHECK_IS(seen.last, skel->bss->sent - 1);
		run(1, 1);
		run(1, 0);
		CHECK_IS(perf_buffer__poll(pb, -1), 2);
	}
	perf_buffer__free(pb);
	events_bpf__destroy(skel);
	return 0;
}
