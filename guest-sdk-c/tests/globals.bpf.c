// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Global variables that both sides read and write.
#include <linux/bpf.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>

const volatile __u32 step = 1;
__u64 start = 1000;

// Neighbours: programs raise what lies on both sides of what the guest writes.
struct {
	__u8 before;
	__u8 mark;
	__u8 after;
	__u8 unused[5];
	__u64 hits;
} shared;

__u64 raised;
__u64 own_start;
__u8 seen_mark;
__u8 last_mark;
__u64 large[40000];
__u32 in_section SEC(".data.more") = 5;

extern int LINUX_KERNEL_VERSION __kconfig;
extern _Bool CONFIG_BPF __kconfig __weak;
int version;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} events SEC(".maps");

SEC("xdp")
int once(struct xdp_md *ctx)
{
	__u64 *event;

	(void)ctx;
	raised += step;
	own_start = start;
	seen_mark = shared.mark;
	shared.before++;
	shared.after++;
	large[39999]++;
	in_section++;
	version = LINUX_KERNEL_VERSION;
	if (CONFIG_BPF)
		version |= 1 << 30;
	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event)
		return XDP_DROP;
	*event = raised;
	bpf_ringbuf_submit(event, 0);
	return XDP_PASS;
}

// What is true of the counter whatever the guest does to its neighbour: it is the sum of what was added to it.
SEC("raw_tp/sys_enter")
int always(void *ctx)
{
	(void)ctx;
	__sync_fetch_and_add(&shared.hits, 1);
	__sync_fetch_and_add(&large[7], 1);
	shared.unused[0] = shared.mark;
	return 0;
}

char _license[] SEC("license") = "GPL";
