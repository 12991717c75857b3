// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Programs that can be loaded, but not attached.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

// The end of the largest record that there can be: a tracepoint with a smaller one does not take it.
SEC("?tracepoint")
int reads_far(char *ctx)
{
	return *(volatile __u64 *)(ctx + 2000);
}

// An iterator over a map, which has to be said when it is attached.
SEC("?iter/bpf_map_elem")
int without_map(void *ctx)
{
	return 0;
}

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} entries SEC(".maps");

char LICENSE[] SEC("license") = "GPL";
