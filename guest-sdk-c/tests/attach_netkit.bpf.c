// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs for both ends of a netkit pair.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

SEC("netkit/primary")
int primary(struct __sk_buff *ctx)
{
	return -1; // NETKIT_NEXT
}

SEC("netkit/primary")
int other(struct __sk_buff *ctx)
{
	return -1;
}

SEC("netkit/peer")
int peer(struct __sk_buff *ctx)
{
	return -1;
}
