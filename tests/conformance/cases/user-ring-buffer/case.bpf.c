// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Takes records that user space sends, at each trigger.
#include "trigger.h"

struct {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	__uint(max_entries, 4096);
} commands SEC(".maps");

// What was received: how many records, how many that were not the next one or had other bytes behind the number than 0xa5.
__u64 received;
__u64 wrong;
// Of the record that was received last.
__u64 last_length;

static long take(struct bpf_dynptr *record, void *context)
{
	__u64 number = 0, length = 0;
	__u8 byte;

	if (bpf_dynptr_read(&number, sizeof(number), record, 0, 0))
		return 0;
	if (number != received)
		wrong += 1;
	for (length = sizeof(number); length < 128; length++) {
		if (bpf_dynptr_read(&byte, 1, record, length, 0))
			break;
		if (byte != 0xa5)
			wrong += 1;
	}
	last_length = length;
	received += 1;
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
