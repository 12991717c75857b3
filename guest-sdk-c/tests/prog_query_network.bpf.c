// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs that let everything pass.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

SEC("tcx/ingress")
int pass(struct __sk_buff *ctx)
{
	return 0;
}

SEC("sk_lookup")
int look_up(struct bpf_sk_lookup *ctx)
{
	return 1;
}

char _license[] SEC("license") = "GPL";
