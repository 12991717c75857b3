// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Probes of functions of the runner's target, which the guest names.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u64 calls;
__u64 cookie;

SEC("uprobe")
int count(void *ctx)
{
	__sync_fetch_and_add(&calls, 1);
	return 0;
}

SEC("?uprobe")
int with_cookie(void *ctx)
{
	__sync_fetch_and_add(&calls, 1);
	cookie = bpf_get_attach_cookie(ctx);
	return 0;
}

SEC("?uprobe.multi")
int for_many(void *ctx)
{
	return 0;
}

SEC("?raw_tp")
int of_another_kind(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
