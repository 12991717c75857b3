// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Takes records that user space sends, at each trigger.
#include "trigger.h"

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} commands SEC(".maps");

// What was received: how many records, their sum, and bytes that were not in order.
__u64 received;
__u64 sum;
__u64 wrong;
__u64 last_length;

static long take(struct bpf_dynptr *record, void *context)
{
	__u64 number;

	if (bpf_dynptr_read(&number, sizeof(number), record, 0, 0))
		return 0;
	if (number != received)
		wrong += 1;
	received += 1;
	sum += number;
	return 0;
}

SEC("raw_tp/sys_enter")
int drain(struct bpf_raw_tracepoint_args *ctx)
{
	if (is_trigger(ctx))
		bpf_user_ringbuf_drain(&commands, take, 0, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
