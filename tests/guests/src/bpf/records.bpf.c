// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Numbered records as fast as the kernel can make them, and large ones.
#include "trigger.h"
#include <wasm_bpf/ringbuf.bpf.h>

// Records for each trigger, and when to end.
const volatile __u32 batch = 1;
const volatile __u64 total = 0;

struct record {
	__u64 number;
	// So that a record that is torn or shifted cannot pass for another.
	__u64 check;
};

const struct record *unused __attribute__((unused));

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} second SEC(".maps");

// How many records were made so far, lost ones included. Only the triggering thread counts.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} produced SEC(".maps");

WASM_BPF_LOST_COUNTER(lost);

static __always_inline __u64 *counter(void)
{
	__u32 key = 0;

	return bpf_map_lookup_elem(&produced, &key);
}

static __always_inline void put(void *into, __u64 number)
{
	struct record *record = wasm_bpf_ringbuf_reserve(into, sizeof(*record), &lost);

	if (!record)
		return;
	record->number = number;
	record->check = ~number;
	bpf_ringbuf_submit(record, 0);
}

static long produce_one(__u64 index, void *context)
{
	__u64 *count = counter();

	if (!count || *count >= total)
		return 1;
	put(&ring, *count);
	*count += 1;
	return 0;
}

SEC("?raw_tp/sys_enter")
int produce(struct bpf_raw_tracepoint_args *ctx)
{
	// A helper in place of a loop: the verifier need not go through each turn.
	if (is_trigger(ctx))
		bpf_loop(batch, produce_one, 0, 0);
	return 0;
}

static long produce_pair(__u64 index, void *context)
{
	__u64 *count = counter();

	if (!count || *count + 1 >= total)
		return 1;
	put(&ring, *count);
	put(&second, *count + 1);
	*count += 2;
	return 0;
}

// By turns into two rings.
SEC("?raw_tp/sys_enter")
int produce_two(struct bpf_raw_tracepoint_args *ctx)
{
	if (is_trigger(ctx))
		bpf_loop(batch, produce_pair, 0, 0);
	return 0;
}

static __always_inline void put_large(__u64 number, const __u32 size)
{
	__u64 *words = wasm_bpf_ringbuf_reserve(&ring, size, &lost);

	if (!words)
		return;
	for (__u32 i = 0; i < size / 8; i++)
		words[i] = (i + 1) * 0x9e3779b97f4a7c15ull + number;
	bpf_ringbuf_submit(words, 0);
}

// A large record between two small ones.
SEC("?raw_tp/sys_enter")
int produce_60k(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 *count;

	if (!is_trigger(ctx))
		return 0;
	count = counter();
	if (!count || *count >= total)
		return 0;
	put(&ring, *count);
	put_large(*count + 1, 60 * 1024);
	put(&ring, *count + 2);
	*count += 3;
	return 0;
}

// The same with one that is larger than what the host reads at once.
SEC("?raw_tp/sys_enter")
int produce_100k(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 *count;

	if (!is_trigger(ctx))
		return 0;
	count = counter();
	if (!count || *count >= total)
		return 0;
	put(&ring, *count);
	put_large(*count + 1, 100 * 1024);
	put(&ring, *count + 2);
	*count += 3;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
