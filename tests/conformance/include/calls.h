/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#ifndef CALLS_H
#define CALLS_H

#include "trigger.h"

/* A program that counts the trigger's calls and sends a record of each: something of each kind, for what is about handles and lifetimes. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} count SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} ring SEC(".maps");

static __always_inline void count_call(void)
{
	__u32 key = 0;
	__u64 *number = bpf_map_lookup_elem(&count, &key);
	__u64 *record;

	if (!number)
		return;
	*number += 1;
	record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
	if (!record)
		return;
	*record = *number;
	bpf_ringbuf_submit(record, 0);
}

SEC("raw_tp/sys_enter")
int on_enter(struct bpf_raw_tracepoint_args *ctx)
{
	if (is_trigger(ctx))
		count_call();
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#endif
