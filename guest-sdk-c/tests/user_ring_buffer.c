// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// User ring buffers: a program takes what the guest sends; a full ring says so, and nothing is lost.
#include <unistd.h>

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
	CHECK_IS(sent, 4096 / 16);
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

	// In the order in which they were reserved, whenever they are submitted; those that are discarded are passed over.
	__u64 taken = skel->bss->taken;
	struct event *first = user_ring_buffer__reserve(rb, sizeof(*event)), *second = user_ring_buffer__reserve(rb, sizeof(*event)),
		     *third = user_ring_buffer__reserve(rb, sizeof(*event));

	CHECK(first && second && third);
	third->number = 5;
	user_ring_buffer__submit(rb, third);
	CHECK_IS(bpf_prog_test_run_opts(bpf_program__fd(skel->progs.drain), &opts), 0);
	CHECK_IS(skel->bss->taken, taken);
	user_ring_buffer__discard(rb, second);
	CHECK_IS(bpf_prog_test_run_opts(bpf_program__fd(skel->progs.drain), &opts), 0);
	CHECK_IS(skel->bss->taken, taken);
	first->number = 6;
	user_ring_buffer__submit(rb, first);
	CHECK_IS(bpf_prog_test_run_opts(bpf_program__fd(skel->progs.drain), &opts), 0);
	CHECK_IS(skel->bss->taken, taken + 2);
	CHECK_IS(skel->bss->sum, 41 + sum + 5 + 6);

	// What is reserved has its room.
	void *most = user_ring_buffer__reserve(rb, 4096 - 8);

	CHECK(most);
	CHECK_NULL(user_ring_buffer__reserve(rb, 8), ENOSPC);
	user_ring_buffer__discard(rb, most);
	CHECK_IS(bpf_prog_test_run_opts(bpf_program__fd(skel->progs.drain), &opts), 0);

	// Whatever was submitted comes to the program, without a further call for this ring.
	taken = skel->bss->taken;
	for (sent = 0; (event = user_ring_buffer__reserve(rb, 1000)); sent++) {
		event->number = 0;
		user_ring_buffer__submit(rb, event);
	}
	CHECK_IS(errno, ENOSPC);
	CHECK(sent >= 4);
	for (int i = 0; i < 2; i++) {
		CHECK_IS(bpf_prog_test_run_opts(bpf_program__fd(skel->progs.drain), &opts), 0);
		usleep(1);
	}
	CHECK_IS(skel->bss->taken, taken + sent);
	user_ring_buffer__free(rb);
	user_ring_buffer__free(NULL);
	events_bpf__destroy(skel);
	return 0;
}
