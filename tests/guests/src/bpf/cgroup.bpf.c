// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Lets everything leave a cgroup.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("cgroup_skb/egress")
int on_egress(struct __sk_buff *skb)
{
	return 1;
}

char LICENSE[] SEC("license") = "GPL";
