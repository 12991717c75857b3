// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Reports the TCP connections of a cgroup.
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <wasm_bpf/ringbuf.bpf.h>

#include "sockops.h"

#define AF_INET6 10
#define STATE_CLOSE 7

// Makes the type known to the skeleton.
const struct event *unused __attribute__((unused));

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

// When each connection began, by the socket's cookie.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u64);
} starts SEC(".maps");

WASM_BPF_LOST_COUNTER(lost);

static __always_inline void report(struct bpf_sock_ops *ctx, enum event_kind kind, __u64 duration,
				   int has_duration)
{
	struct event *event = wasm_bpf_ringbuf_reserve(&events, sizeof(*event), &lost);
	__u32 *local, *remote;

	if (!event)
		return;
	__builtin_memset(event, 0, sizeof(*event));
	event->kind = kind;
	event->duration_ns = duration;
	event->has_duration = has_duration;
	// The kernel counts it in eighths.
	event->round_trip = ctx->srtt_us >> 3;
	event->retransmissions = ctx->total_retrans;
	event->bytes_sent = ctx->bytes_acked;
	event->bytes_received = ctx->bytes_received;
	event->local_port = ctx->local_port;
	event->remote_port = bpf_ntohl(ctx->remote_port);
	local = (void *)event->local;
	remote = (void *)event->remote;
	if (ctx->family == AF_INET6) {
		event->is_ipv6 = 1;
		local[0] = ctx->local_ip6[0];
		local[1] = ctx->local_ip6[1];
		local[2] = ctx->local_ip6[2];
		local[3] = ctx->local_ip6[3];
		remote[0] = ctx->remote_ip6[0];
		remote[1] = ctx->remote_ip6[1];
		remote[2] = ctx->remote_ip6[2];
		remote[3] = ctx->remote_ip6[3];
	} else {
		local[0] = ctx->local_ip4;
		remote[0] = ctx->remote_ip4;
	}
	bpf_ringbuf_submit(event, 0);
}

static __always_inline void begin(struct bpf_sock_ops *ctx, enum event_kind kind)
{
	__u64 cookie = bpf_get_socket_cookie(ctx), now = bpf_ktime_get_ns();

	bpf_map_update_elem(&starts, &cookie, &now, BPF_ANY);
	// From now on the kernel tells this socket's states.
	bpf_sock_ops_cb_flags_set(ctx, ctx->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG);
	report(ctx, kind, 0, 0);
}

SEC("sockops")
int on_event(struct bpf_sock_ops *ctx)
{
	__u64 cookie, duration = 0, *start;
	int has_duration;

	switch (ctx->op) {
	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
		begin(ctx, EVENT_CONNECT);
		break;
	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
		begin(ctx, EVENT_ACCEPT);
		break;
	case BPF_SOCK_OPS_STATE_CB:
		if (ctx->args[1] != STATE_CLOSE)
			break;
		cookie = bpf_get_socket_cookie(ctx);
		start = bpf_map_lookup_elem(&starts, &cookie);
		has_duration = !!start;
		if (start) {
			duration = bpf_ktime_get_ns() - *start;
			bpf_map_delete_elem(&starts, &cookie);
		}
		report(ctx, EVENT_CLOSE, duration, has_duration);
		break;
	}
	return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
