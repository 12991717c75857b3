// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Measures how long calls of a function take.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

// The last one takes what is longer: with microseconds, from 33 seconds on.
#define SLOTS 26
// Calls of the function within itself that are told apart.
#define DEPTH 16

// Nanoseconds in what the histogram counts.
const volatile __u64 unit_ns = 1000;

// Slot N counts calls of 2^N up to 2^(N+1)-1 units; slot 0 those of 0 too.
__u64 slots[SLOTS];
__u64 total_ns;
// What could not be measured because the map was full, or the calls within each other too many.
__u64 calls_without_room;

struct calls {
	// How many have begun and not ended.
	__u32 depth;
	__u32 reserved;
	__u64 since[DEPTH];
};

// Of each thread that is in the function.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct calls);
} running SEC(".maps");

// Too large to be made on the stack for each new entry.
static const struct calls none;

static __u32 log2_of(__u64 value)
{
	__u32 result = 0, shift;

	// By halves: a loop over the bits would be long for the verifier, and for who waits.
	shift = (value > 0xffffffff) << 5;
	value >>= shift;
	result |= shift;
	shift = (value > 0xffff) << 4;
	value >>= shift;
	result |= shift;
	shift = (value > 0xff) << 3;
	value >>= shift;
	result |= shift;
	shift = (value > 0xf) << 2;
	value >>= shift;
	result |= shift;
	shift = (value > 0x3) << 1;
	value >>= shift;
	result |= shift;
	return result | (value >> 1);
}

SEC("uprobe")
int on_call(void *ctx)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct calls *calls = bpf_map_lookup_elem(&running, &tid);
	__u32 depth;

	if (!calls) {
		bpf_map_update_elem(&running, &tid, &none, BPF_NOEXIST);
		calls = bpf_map_lookup_elem(&running, &tid);
	}
	if (!calls) {
		__sync_fetch_and_add(&calls_without_room, 1);
		return 0;
	}
	depth = calls->depth++;
	if (depth < DEPTH)
		calls->since[depth] = bpf_ktime_get_ns();
	else
		__sync_fetch_and_add(&calls_without_room, 1);
	return 0;
}

SEC("uretprobe")
int on_return(void *ctx)
{
	__u64 now = bpf_ktime_get_ns(), took;
	__u32 tid = bpf_get_current_pid_tgid(), depth, slot;
	struct calls *calls = bpf_map_lookup_elem(&running, &tid);

	// It began before it was probed.
	if (!calls || !calls->depth)
		return 0;
	depth = --calls->depth;
	if (depth < DEPTH) {
		took = now - calls->since[depth];
		__sync_fetch_and_add(&total_ns, took);
		slot = log2_of(took / unit_ns);
		if (slot >= SLOTS)
			slot = SLOTS - 1;
		__sync_fetch_and_add(&slots[slot], 1);
	}
	if (!depth)
		bpf_map_delete_elem(&running, &tid);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
