// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Large records between small ones.
#include "trigger.h"
#include <wasm_bpf/ringbuf.bpf.h>

struct record {
	__u64 number;
	__u64 check;
};

const struct record *unused __attribute__((unused));

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} ring SEC(".maps");

WASM_BPF_LOST_COUNTER(lost);

// How many records were made.
__u64 produced;

// What large records hold: a pattern of user space, but for the number at the front.
__u64 pattern[100 * 1024 / 8];

static __always_inline void put_small(void)
{
	struct record *record = wasm_bpf_ringbuf_reserve(&ring, sizeof(*record), &lost);

	if (record) {
		record->number = produced;
		record->check = ~produced;
		bpf_ringbuf_submit(record, 0);
	}
	produced += 1;
}

static __always_inline void put_three(const __u64 size)
{
	put_small();
	pattern[0] = produced;
	wasm_bpf_ringbuf_output(&ring, pattern, size, 0, &lost);
	produced += 1;
	put_small();
}

SEC("?raw_tp/sys_enter")
int produce_60k(struct bpf_raw_tracepoint_args *ctx)
{
	if (is_trigger(ctx))
		put_three(60 * 1024);
	return 0;
}

SEC("?raw_tp/sys_enter")
int produce_100k(struct bpf_raw_tracepoint_args *ctx)
{
	if (is_trigger(ctx))
		put_three(sizeof(pattern));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
