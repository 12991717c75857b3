// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What object.c opens: maps of many declarations, global data in all its sections, programs that load, that may, and that cannot.
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

struct key {
	__u32 a, b;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, struct key);
	__type(value, __u64);
} table SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 5000);
} ring SEC(".maps");

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 3);
	__type(key, __u32);
	__type(value, __u32);
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 4);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} unused SEC(".maps");

const volatile __u32 limit = 10;
const volatile char text[8] SEC(".rodata.text") = "text";
__u64 total = 100;
__u32 custom SEC(".data.custom") = 77;
__u64 runs;
__u32 seen_limit, seen_custom;
// Nothing outside can name it: its section is not mapped.
static __u32 hidden SEC(".data.hidden") = 1;

extern unsigned LINUX_KERNEL_VERSION __kconfig;
__u32 kernel_version;

SEC("xdp")
int count(struct xdp_md *ctx)
{
	struct key key = { 1, 2 };
	__u64 value;

	(void)ctx;
	runs++;
	total += limit;
	seen_limit = limit;
	seen_custom = custom++;
	hidden++;
	kernel_version = LINUX_KERNEL_VERSION;
	value = hidden;
	bpf_map_update_elem(&table, &key, &value, BPF_ANY);
	return text[0] == 't' ? XDP_PASS : XDP_DROP;
}

SEC("?xdp")
int optional(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

// The verifier lets nobody read a packet without a look at its length.
SEC("?xdp")
int broken(struct xdp_md *ctx)
{
	return *(volatile __u32 *)(long)ctx->data;
}

SEC("?tp_btf/sched_switch")
int typed(__u64 *ctx)
{
	(void)ctx;
	return 0;
}

SEC("socket")
int unloaded(struct __sk_buff *skb)
{
	__u32 key = 0;

	(void)skb;
	return bpf_map_lookup_elem(&unused, &key) ? 1 : 0;
}

char _license[] SEC("license") = "GPL";
__u32 _version SEC("version") = 0x060102;
