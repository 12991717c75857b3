// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is looked for in the kernel: a program that runs at system calls, one of cgroups, an iterator, and a map.
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 3);
	__type(key, __u32);
	__type(value, __u64);
} three SEC(".maps");

SEC("raw_tp/sys_enter")
int watch(void *ctx)
{
	__u32 key = 1;
	__u64 *value = bpf_map_lookup_elem(&three, &key);

	if (value)
		__sync_fetch_and_add(value, 1);
	return 0;
}

SEC("cgroup/sock_create")
int allow(struct bpf_sock *ctx)
{
	return 1;
}

struct bpf_iter__task;

SEC("iter/task")
int tasks(struct bpf_iter__task *ctx)
{
	return 0;
}

char _license[] SEC("license") = "GPL";
