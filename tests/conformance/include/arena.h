/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
#ifndef ARENA_H
#define ARENA_H

/*
 * An arena made with ARENA_FLAGS. Pages are allocated by programs that may sleep: here by one on the function of the runner's uprobe target.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define PAGES 16

/* Newer than the headers of some systems. */
#define ARENA 33
#define SEGV_ON_FAULT (1 << 17)

struct {
	__uint(type, ARENA);
	__uint(map_flags, BPF_F_MMAPABLE | ARENA_FLAGS);
	__uint(max_entries, PAGES);
} arena SEC(".maps");

#define __arena __attribute__((address_space(1)))

void __arena *bpf_arena_alloc_pages(void *map, void __arena *address, __u32 pages, int node,
				    __u64 flags) __ksym __weak;

__u64 value;
/* How often the program ran. */
__u64 turns;

static __u64 __arena *page;

/* At its first turn the program allocates a page, and at each it writes to it. */
SEC("uprobe.s//run/wasm-bpf-conformance/target:wbc_target")
int write_to_page(void *ctx)
{
	if (!page)
		page = bpf_arena_alloc_pages(&arena, 0, 1, -1, 0);
	if (page)
		*page = value;
	turns += 1;
	return 0;
}

char LICENSE[] SEC("license") = "GPL";

#endif
