// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Numbered records, one for each trigger and ring.
#include "trigger.h"
#include <wasm_bpf/ringbuf.bpf.h>

// How many triggers pass before the first record, so that somebody already waits for it.
const volatile __u64 skip = 0;
// BPF_RB_NO_WAKEUP or nothing.
const volatile __u64 submit_flags = 0;

struct record {
	__u64 number;
	// So that a record that is torn or shifted cannot pass for another.
	__u64 check;
};

const struct record *unused __attribute__((unused));

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} second SEC(".maps");

WASM_BPF_LOST_COUNTER(lost);

// How many triggers there were, and how many records were made, lost ones included.
__u64 triggers;
__u64 produced;

static __always_inline int is_due(struct bpf_raw_tracepoint_args *ctx)
{
	if (!is_trigger(ctx))
		return 0;
	triggers += 1;
	return triggers > skip;
}

static __always_inline void put(void *into, int is_kept)
{
	struct record *record = wasm_bpf_ringbuf_reserve(into, sizeof(*record), &lost);

	if (record) {
		record->number = produced;
		record->check = ~produced;
		if (is_kept)
			bpf_ringbuf_submit(record, submit_flags);
		else
			bpf_ringbuf_discard(record, submit_flags);
	}
	// Last: what is counted can be read.
	produced += 1;
}

SEC("?raw_tp/sys_enter")
int produce(struct bpf_raw_tracepoint_args *ctx)
{
	if (is_due(ctx))
		put(&ring, 1);
	return 0;
}

// Even numbers into one ring, odd ones into the other.
SEC("?raw_tp/sys_enter")
int produce_two(struct bpf_raw_tracepoint_args *ctx)
{
	if (is_due(ctx)) {
		put(&ring, 1);
		put(&second, 1);
	}
	return 0;
}

// Odd numbers are thought better of.
SEC("?raw_tp/sys_enter")
int produce_and_discard(struct bpf_raw_tracepoint_args *ctx)
{
	if (is_due(ctx))
		put(&ring, produced % 2 == 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
