/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Ring buffer output that counts what is lost.
 *
 * A full ring buffer drops records and keeps no trace of it: the consumer
 * cannot tell a quiet system from one that outran it. The functions here behave
 * like the helpers they wrap and also count each record that did not get in.
 *
 *	WASM_BPF_LOST_COUNTER(lost);
 *
 *	struct event *e = wasm_bpf_ringbuf_reserve(&rb, sizeof(*e), &lost);
 *
 * Include "vmlinux.h" or <linux/bpf.h> before this file.
 */
#ifndef __WASM_BPF_RINGBUF_BPF_H
#define __WASM_BPF_RINGBUF_BPF_H

#include <bpf/bpf_helpers.h>

/*
 * Declares the map that holds the count: one __u64 per CPU under key 0, to be
 * summed by the reader. It is per CPU because records are lost when many CPUs
 * write at once, which is the worst moment to have them all fight for one line
 * of cache.
 */
#define WASM_BPF_LOST_COUNTER(name)                                            \
	struct {                                                               \
		__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);                       \
		__uint(max_entries, 1);                                        \
		__type(key, __u32);                                            \
		__type(value, __u64);                                          \
	} name SEC(".maps")

/*
 * Adds one to a counter that WASM_BPF_LOST_COUNTER declared.
 *
 * The addition is atomic although the slot belongs to this CPU: a program in an
 * interrupt or NMI can run in the middle of another one on the same CPU, and a
 * plain load-add-store would then lose a count.
 */
static __always_inline void wasm_bpf_count_lost(void *lost)
{
	__u32 key = 0;
	__u64 *count = bpf_map_lookup_elem(lost, &key);

	/* Never NULL for key 0; the verifier wants to see the check. */
	if (count)
		__sync_fetch_and_add(count, 1);
}

/*
 * bpf_ringbuf_reserve() that counts a failed reservation in `lost`. The size
 * must be a constant, as for the helper; that is why this is always inlined.
 * There is no flags argument because the helper accepts only 0.
 */
static __always_inline void *wasm_bpf_ringbuf_reserve(void *ringbuf, __u64 size,
						      void *lost)
{
	void *record = bpf_ringbuf_reserve(ringbuf, size, 0);

	if (!record)
		wasm_bpf_count_lost(lost);
	return record;
}

/* bpf_ringbuf_output() that counts a failed output in `lost`. */
static __always_inline long wasm_bpf_ringbuf_output(void *ringbuf, void *data,
						    __u64 size, __u64 flags,
						    void *lost)
{
	long err = bpf_ringbuf_output(ringbuf, data, size, flags);

	if (err)
		wasm_bpf_count_lost(lost);
	return err;
}

#endif /* __WASM_BPF_RINGBUF_BPF_H */
