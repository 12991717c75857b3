// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Reports a USDT probe with its arguments, and counts by the first one.
#include <stdbool.h>

#include <linux/bpf.h>
#include <linux/errno.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/usdt.bpf.h>

#include "usdt.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u64);
	__type(value, struct count);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} events SEC(".maps");

__u64 seen = 0;

SEC("usdt")
int BPF_USDT(on_probe, long number, long text, long cookie)
{
	static const struct count none;
	struct event event = { .number = number, .cookie = bpf_usdt_cookie(ctx) };
	__u64 key = number;
	struct count *count;

	__sync_fetch_and_add(&seen, 1);
	bpf_probe_read_user_str(event.text, sizeof(event.text), (void *)text);
	bpf_map_update_elem(&counts, &key, &none, BPF_NOEXIST);
	count = bpf_map_lookup_elem(&counts, &key);
	if (count) {
		__sync_fetch_and_add(&count->times, 1);
		count->last = cookie;
	}
	bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &event, sizeof(event));
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
