// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What pins.c pins: a map that asks for it, one that does not, global data and a program.
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} kept SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} plain SEC(".maps");

__u32 runs;

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	__u32 key = 0;

	(void)ctx;
	runs++;
	return bpf_map_lookup_elem(&kept, &key) && bpf_map_lookup_elem(&plain, &key) ? XDP_PASS : XDP_DROP;
}

char _license[] SEC("license") = "GPL";
