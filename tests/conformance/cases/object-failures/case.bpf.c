// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// What neither the verifier nor this kernel takes, and what becomes wrong when bytes of the file are changed. All programs are off until they
// are switched on.
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#ifndef NULL
#define NULL ((void *)0)
#endif

__u64 from_data = 2;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, __u32);
	__type(value, __u64);
} numbers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} numberz SEC(".maps");

// A map value that may not be there.
SEC("?raw_tp/sys_enter")
int careless(void *ctx)
{
	__u32 key = 0;
	__u64 *value = bpf_map_lookup_elem(&numbers, &key);

	return *value;
}

struct task_struct {
	int no_such_field;
} __attribute__((preserve_access_index));

SEC("?raw_tp/sys_enter")
int wrong_field(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, no_such_field);
}

// A reference to a map is made out of this number.
SEC("?raw_tp/sys_enter")
int big_number(void *ctx)
{
	__u64 number;

	asm volatile("%0 = 0x1122334455667788 ll" : "=r"(number));
	return number != 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
