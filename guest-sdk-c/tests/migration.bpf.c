// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs as the examples of the first wasm-bpf have them: attached by a name, telling through a buffer.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "migration.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} perf SEC(".maps");

SEC("xdp")
int on_frame(struct xdp_md *context)
{
	struct large *event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);

	if (event) {
		event->first = 1;
		event->last = sizeof(*event);
		bpf_ringbuf_submit(event, 0);
	}
	return XDP_PASS;
}

SEC("socket")
int on_packet(struct __sk_buff *packet)
{
	__u64 length = packet->len;

	bpf_perf_event_output(packet, &perf, BPF_F_CURRENT_CPU, &length, sizeof(length));
	return 0;
}

SEC("sockops")
int on_connection(struct bpf_sock_ops *context)
{
	return 1;
}
