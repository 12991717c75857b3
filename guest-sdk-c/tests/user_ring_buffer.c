// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// User ring buffers: a program takes what the guest sends; a full ring says so, and nothing is lost.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "check.h"
#include "events.h"
#include "events.skel.h"

int main(void)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	struct user_ring_buffer *rb;
	struct events_bpf *skel;
	struct event *event;
	__u64 sent = 0, sum = 0;

	skel = events_bpf__open_and_load();
	CHECK(skel);
	CHECK_NULL(user_ring_buffer__new(bpf_map__fd(skel->maps.ring), NULL), EINVAL);
	rb = user_ring_buffer__new(bpf_map__fd(skel->maps.from_user), NULL);
	CHECK(rb);
	CHECK_NULL(user_ring_buffer__reserve(rb, 4096), E2BIG);
	CHECK_NULL(user_ring_buffer__reserve(rb, 0xffffffff), E2BIG);

	event = user_ring_buffer__reserve(rb, sizeof(*event));
	CHECK(event);
	user_ring_buffer__discard(rb, event);
	event = user_ring_buffer__reserve_blocking(rb, sizeof(*event), 1000);
	CHECK(event);
	event->number = 41;
	user_ring_buffer__submit(rb, event);
	CHECK_IS(bpf_prog_test_run_opts(bpf_program__fd(skel->progs.drain), &opts), 0);
	CHECK_IS(opts.retval, 1);
	CHECK_IS(skel->bss->taken, 1);
	CHECK_IS(skel->bss->sum, 41);

	// Until it is full.
	while ((event = user_ring_buffer__reserve(rb, sizeof(*event)))) {
		event->number = ++sent;
		sum += sent;
		user_ring_buffer__submit(rb, event);
		CHECK(sent < 1000);
	}
	CHECK_IS(errno, ENOSPC);
	CHECK_NULL(user_ring_buffer__reserve_blocking(rb, sizeof(*event), 20), ENOSPC);
	CHECK_IS(bpf_prog_test_run_opts(bpf_program__fd(skel->progs.drain), &opts), 0);
	// There is room again, also for what waited.
	event = user_ring_buffer__reserve(rb, sizeof(*event));
	CHECK(event);
	event->number = 0;
	user_ring_buffer__submit(rb, event);
	CHECK_IS(bpf_prog_test_run_opts(bpf_program__fd(skel->progs.drain), &opts), 0);
	CHECK_IS(skel->bss->taken, 1 + sent + 1);
	CHECK_IS(skel->bss->sum, 41 + sum);
	user_ring_buffer__free(rb);
	user_ring_buffer__free(NULL);
	events_bpf__destroy(skel);
	return 0;
}
