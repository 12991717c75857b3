// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Counts the samples of a perf event, in each process.
#include <linux/bpf.h>
#include <linux/bpf_perf_event.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

__u64 samples, cookie;

SEC("perf_event")
int on_sample(struct bpf_perf_event_data *ctx)
{
	cookie = bpf_get_attach_cookie(ctx);
	__sync_fetch_and_add(&samples, 1);
	return 0;
}

SEC("raw_tp/sys_enter")
int on_call(void *ctx)
{
	return 0;
}
