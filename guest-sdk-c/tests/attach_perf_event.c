// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs run at the samples of perf events: attached by links, which own their events, and by ioctl(), until the event is closed.
#include <linux/perf_event.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "attach_perf_event.skel.h"
#include "check.h"

// What syscall(__NR_perf_event_open) calls.
int wb_perf_event_open(const struct perf_event_attr *attr, int pid, int cpu, int group, unsigned long flags);

static struct attach_perf_event_bpf *skel;

static int open_event(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_CPU_CLOCK, .sample_period = 1000000,
	};
	int fd = wb_perf_event_open(&attr, 0, -1, -1, 0);

	CHECK(fd >= 0);
	return fd;
}

// Something to sample: this process computes.
static __u64 count_samples(void)
{
	__u64 before;

	usleep(1);
	before = skel->bss->samples;
	for (int i = 0; i < 20; i++) {
		for (volatile int j = 0; j < 5000000; j++)
			;
		usleep(1);
	}
	return skel->bss->samples - before;
}

int main(void)
{
	LIBBPF_OPTS(bpf_perf_event_opts, opts, .bpf_cookie = 4711);
	struct bpf_link *link;
	int event, fd;

	skel = attach_perf_event_bpf__open_and_load();
	CHECK(skel);
	event = open_event();
	CHECK_IS(count_samples(), 0);
	link = bpf_program__attach_perf_event(skel->progs.on_sample, event);
	CHECK(link);
	CHECK(count_samples() > 0);
	CHECK_IS(skel->bss->cookie, 0);
	CHECK_IS(bpf_link__destroy(link), 0);
	CHECK_IS(count_samples(), 0);
	// The link has closed it.
	CHECK_IS(close(event), -1);
	CHECK_IS(errno, EBADF);

	event = open_event();
	link = bpf_program__attach_perf_event_opts(skel->progs.on_sample, event, &opts);
	CHECK(link);
	CHECK(count_samples() > 0);
	CHECK_IS(skel->bss->cookie, 4711);
	CHECK_IS(bpf_link__destroy(link), 0);

	event = open_event();
	fd = bpf_link_create(bpf_program__fd(skel->progs.on_sample), event, BPF_PERF_EVENT, &(struct bpf_link_create_opts){
		.sz = sizeof(struct bpf_link_create_opts), .perf_event = { .bpf_cookie = 12 } });
	CHECK(fd >= 0);
	CHECK(count_samples() > 0);
	CHECK_IS(skel->bss->cookie, 12);
	CHECK_IS(close(fd), 0);
	CHECK_IS(count_samples(), 0);

	CHECK_IS(ioctl(event, PERF_EVENT_IOC_SET_BPF, bpf_program__fd(skel->progs.on_sample)), 0);
	CHECK_IS(ioctl(event, PERF_EVENT_IOC_ENABLE, 0), 0);
	CHECK(count_samples() > 0);
	CHECK_IS(ioctl(event, PERF_EVENT_IOC_SET_BPF, bpf_program__fd(skel->progs.on_sample)), -1);
	CHECK_IS(errno, EEXIST);
	CHECK_IS(ioctl(event, PERF_EVENT_IOC_SET_BPF, 4711), -1);
	CHECK_IS(errno, EBADF);
	CHECK_IS(close(event), 0);
	CHECK_IS(count_samples(), 0);

	event = open_event();
	CHECK_NULL(bpf_program__attach_perf_event(skel->progs.on_sample, -1), EINVAL);
	CHECK_NULL(bpf_program__attach_perf_event(skel->progs.on_sample, 4711), EBADF);
	CHECK_NULL(bpf_program__attach_perf_event(skel->progs.on_call, event), EINVAL);
	opts.dont_enable = true;
	CHECK_NULL(bpf_program__attach_perf_event_opts(skel->progs.on_sample, event, &opts), ENOTSUP);
	opts.dont_enable = false;
	opts.force_ioctl_attach = true;
	CHECK_NULL(bpf_program__attach_perf_event_opts(skel->progs.on_sample, event, &opts), ENOTSUP);
	opts.sz = 1;
	CHECK_NULL(bpf_program__attach_perf_event_opts(skel->progs.on_sample, event, &opts), EINVAL);
	// What could not be attached stays the caller's.
	CHECK_IS(close(event), 0);
	attach_perf_event_bpf__destroy(skel);
	return 0;
}
