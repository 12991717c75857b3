// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// A classifier that lets everything through.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("tc")
int on_packet(struct __sk_buff *skb)
{
	return -1;
}

char LICENSE[] SEC("license") = "GPL";
