// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// What is more than observing, and what the kernel does not take. All of it is off until a test switches it on.
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#ifndef NULL
#define NULL ((void *)0)
#endif

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, 4);
} devices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} wasm_bpf_test_pin SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} numbers SEC(".maps");

SEC("?xdp")
int pass_packets(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("?tc")
int see_packets(struct __sk_buff *ctx)
{
	return 0;
}

// Never attached.
SEC("?raw_tp/sys_enter")
int sends_signals(void *ctx)
{
	bpf_send_signal(0);
	return 0;
}

// A map value that may not be there.
SEC("?raw_tp/sys_enter")
int careless(void *ctx)
{
	__u32 key = 0;
	__u64 *value = bpf_map_lookup_elem(&numbers, &key);

	return *value;
}

struct task_struct {
	int tgid;
	int no_such_field;
} __attribute__((preserve_access_index));

SEC("?raw_tp/sys_enter")
int wrong_field(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, no_such_field);
}

// Needs the kernel's BTF.
SEC("?raw_tp/sys_enter")
int right_field(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, tgid);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
