// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Programs at the samples of events.
#include "trigger.h"

__u64 samples;
__u64 of_trigger;
__u64 cookie;
__u64 others;

SEC("?perf_event")
int on_sample(void *ctx)
{
	__sync_fetch_and_add(&samples, 1);
	if ((__u32)bpf_get_current_pid_tgid() == trigger_thread)
		__sync_fetch_and_add(&of_trigger, 1);
	return 0;
}

SEC("?perf_event")
int on_sample_too(void *ctx)
{
	__sync_fetch_and_add(&others, 1);
	return 0;
}

SEC("?perf_event")
int reads_cookie(void *ctx)
{
	cookie = bpf_get_attach_cookie(ctx);
	return 0;
}

SEC("?tracepoint")
int on_tracepoint(void *ctx)
{
	if ((__u32)bpf_get_current_pid_tgid() == trigger_thread)
		__sync_fetch_and_add(&of_trigger, 1);
	return 0;
}

SEC("?raw_tp")
int of_another_kind(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
