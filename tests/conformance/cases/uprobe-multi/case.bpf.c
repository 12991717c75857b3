// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// One program at many functions of the runner's target.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u64 calls;
// Each bit of a cookie that was seen.
__u64 cookies;

static __always_inline void count_call(void *ctx)
{
	__sync_fetch_and_add(&calls, 1);
	cookies |= bpf_get_attach_cookie(ctx);
}

SEC("?uprobe.multi")
int on_many(void *ctx)
{
	count_call(ctx);
	return 0;
}

SEC("?uprobe.session")
int on_both_ends(void *ctx)
{
	count_call(ctx);
	return 0;
}

SEC("?uprobe.multi//run/wasm-bpf-conformance/target:wbc_*")
int where_the_section_says(void *ctx)
{
	count_call(ctx);
	return 0;
}

SEC("?uprobe")
int on_one(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
