// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs of a cgroup that count the sockets which its processes make.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

__u64 by_first, by_second, order, first_at, second_at, by_ops;
__u32 allow = 1;

SEC("cgroup/sock_create")
int first(struct bpf_sock *ctx)
{
	__sync_fetch_and_add(&by_first, 1);
	first_at = __sync_fetch_and_add(&order, 1);
	return allow ? 1 : 0;
}

SEC("cgroup/sock_create")
int second(struct bpf_sock *ctx)
{
	__sync_fetch_and_add(&by_second, 1);
	second_at = __sync_fetch_and_add(&order, 1);
	return 1;
}

SEC("sockops")
int ops(struct bpf_sock_ops *ctx)
{
	__sync_fetch_and_add(&by_ops, 1);
	return 1;
}
