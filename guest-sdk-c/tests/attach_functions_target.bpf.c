// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A program with functions that others may take the place of.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

__attribute__((noinline)) int add(int number)
{
	volatile int one = 1;

	return number + one;
}

__attribute__((noinline)) int add_too(int number)
{
	volatile int two = 2;

	return number + two;
}

SEC("xdp")
int target(struct xdp_md *ctx)
{
	return add(ctx->rx_queue_index + 10) + add_too(1000);
}
