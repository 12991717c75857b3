// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Sends a number through each kind of buffer whenever it is run, and takes records from a user ring buffer.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "events.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} ring SEC(".maps"), other_ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} perf SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} from_user SEC(".maps");

__u64 sent, refused, taken, sum;

static __always_inline int send_to(void *map)
{
	struct event *event = bpf_ringbuf_reserve(map, sizeof(*event), 0);

	if (!event) {
		refused++;
		return 1;
	}
	event->number = sent++;
	bpf_ringbuf_submit(event, 0);
	return 0;
}

SEC("raw_tp/sys_enter")
int to_ring(void *ctx)
{
	return send_to(&ring);
}

SEC("raw_tp/sys_enter")
int to_other(void *ctx)
{
	return send_to(&other_ring);
}

SEC("raw_tp/sys_enter")
int discards(void *ctx)
{
	struct event *event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);

	if (event)
		bpf_ringbuf_discard(event, 0);
	return 0;
}

SEC("raw_tp/sys_enter")
int to_perf(void *ctx)
{
	struct event event = { .number = sent++ };

	return bpf_perf_event_output(ctx, &perf, BPF_F_CURRENT_CPU, &event, sizeof(event));
}

static long take(struct bpf_dynptr *dynptr, void *context)
{
	struct event event;

	if (bpf_dynptr_read(&event, sizeof(event), dynptr, 0, 0))
		return 0;
	sum += event.number;
	taken++;
	return 0;
}

SEC("raw_tp/sys_enter")
int drain(void *ctx)
{
	return bpf_user_ringbuf_drain(&from_user, take, NULL, 0);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
