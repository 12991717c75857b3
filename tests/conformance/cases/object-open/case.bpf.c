// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Maps and programs to be changed before load. Programs with a `?` are off until they are switched on.
#include "trigger.h"

const volatile __u64 from_rodata = 1;
__u64 from_data = 2;
__u64 from_bss;

struct seen {
	__u64 calls;
	__u64 rodata;
	__u64 data;
	__u64 bss;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct seen);
} seen SEC(".maps");

// Sizes without types: they can become others.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__uint(key_size, 4);
	__uint(value_size, 8);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} plain SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__uint(value_size, 4);
} programs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, 4);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} pinned_map SEC(".maps");

static __always_inline int see(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 key = 0;
	struct seen *value;

	if (!is_trigger(ctx))
		return 0;
	value = bpf_map_lookup_elem(&seen, &key);
	if (!value)
		return 0;
	value->calls++;
	value->rodata = from_rodata;
	value->data = from_data;
	value->bss = from_bss;
	return 0;
}

SEC("raw_tp/sys_enter")
int on_enter(struct bpf_raw_tracepoint_args *ctx)
{
	return see(ctx);
}

// Good as any kind of program.
SEC("?raw_tp/sys_enter")
int any_kind(void *ctx)
{
	return 0;
}

// At the exit of a system call the second argument is what it returned, never the trigger's number.
SEC("?tp_btf/sys_exit")
int typed(struct bpf_raw_tracepoint_args *ctx)
{
	return see(ctx);
}

// The numbers 2 and 3 are answers about packets that leave, not about those that arrive.
SEC("?cgroup_skb/egress")
int leaving(struct __sk_buff *ctx)
{
	return 3;
}

// Eight bytes from an odd address, which the verifier takes on machines that can do it.
SEC("?raw_tp/sys_enter")
int misaligned(void *ctx)
{
	__u32 key = 0;
	struct seen *value = bpf_map_lookup_elem(&seen, &key);

	if (value)
		from_bss = *(volatile __u64 *)((char *)value + 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
