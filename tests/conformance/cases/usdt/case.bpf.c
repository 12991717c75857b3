// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// USDT probes of the runner's target, and their arguments.
#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/usdt.bpf.h>

__u64 calls;
// Of all first arguments.
__u64 sum;
__s64 second;
__u64 cookie;
__u64 arguments;

static __always_inline void take(struct pt_regs *ctx)
{
	long value = 0;

	__sync_fetch_and_add(&calls, 1);
	if (!bpf_usdt_arg(ctx, 0, &value))
		__sync_fetch_and_add(&sum, value);
	if (!bpf_usdt_arg(ctx, 1, &value))
		second = value;
	cookie = bpf_usdt_cookie(ctx);
	arguments = bpf_usdt_arg_cnt(ctx);
}

SEC("?usdt")
int on_probe(struct pt_regs *ctx)
{
	take(ctx);
	return 0;
}

SEC("?usdt//run/wasm-bpf-conformance/target:wasm_bpf:called")
int where_the_section_says(struct pt_regs *ctx)
{
	take(ctx);
	return 0;
}

SEC("?usdt//run/wasm-bpf-conformance/target:wasm_bpf")
int of_half_a_section(void *ctx)
{
	return 0;
}

// Asks for nothing, so that the maps may be anything.
SEC("?usdt")
int without_arguments(void *ctx)
{
	__sync_fetch_and_add(&calls, 1);
	return 0;
}

// On kernels that can probe many places at once this is not for that.
SEC("?uprobe")
int as_uprobe(struct pt_regs *ctx)
{
	take(ctx);
	return 0;
}

SEC("?raw_tp")
int of_another_kind(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
