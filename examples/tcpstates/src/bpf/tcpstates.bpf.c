// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Reports the state changes of TCP connections.
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <wasm_bpf/ringbuf.bpf.h>

#include "tcpstates.h"

#define AF_INET 2
#define AF_INET6 10
#define PROTOCOL_TCP 6
#define STATE_CLOSE 7

// The few fields that are read here. CO-RE finds where the running kernel has them, so the object does not depend on the
// kernel it was compiled on.
struct in6_addr {
	__u8 bytes[16];
};

struct sock_common {
	__u32 skc_daddr;
	__u32 skc_rcv_saddr;
	__u16 skc_dport;
	unsigned short skc_family;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
} __attribute__((preserve_access_index));

struct sock {
	struct sock_common __sk_common;
	__u16 sk_protocol;
} __attribute__((preserve_access_index));

struct inet_sock {
	__u16 inet_sport;
} __attribute__((preserve_access_index));

// Only this family, port here and port there; 0 for every one.
const volatile __u16 only_family = 0;
const volatile __u16 only_local_port = 0;
const volatile __u16 only_remote_port = 0;

// Makes the type known to the skeleton.
const struct event *unused __attribute__((unused));

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

// When each socket came into the state that it is in.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u64);
} since SEC(".maps");

WASM_BPF_LOST_COUNTER(lost);

// A raw tracepoint: unlike a plain one it needs no tracefs, which small systems do not mount.
SEC("raw_tp/inet_sock_set_state")
int on_state(struct bpf_raw_tracepoint_args *ctx)
{
	struct sock *sk = (void *)ctx->args[0];
	struct sock_common *common = &sk->__sk_common;
	__u64 socket = (__u64)sk, now = bpf_ktime_get_ns(), *start;
	int new_state = ctx->args[2];
	__u16 family, local_port, remote_port;
	struct event *event;

	// SCTP and others tell their states here too.
	if (BPF_CORE_READ(sk, sk_protocol) != PROTOCOL_TCP)
		return 0;
	family = BPF_CORE_READ(common, skc_family);
	// Unlike skc_num it is still there when the socket has been closed.
	local_port = bpf_ntohs(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
	remote_port = bpf_ntohs(BPF_CORE_READ(common, skc_dport));
	if ((only_family && family != only_family) ||
	    (only_local_port && local_port != only_local_port) ||
	    (only_remote_port && remote_port != only_remote_port))
		return 0;
	event = wasm_bpf_ringbuf_reserve(&events, sizeof(*event), &lost);
	start = bpf_map_lookup_elem(&since, &socket);
	if (event) {
		__builtin_memset(event, 0, sizeof(*event));
		event->socket = socket;
		event->pid = bpf_get_current_pid_tgid() >> 32;
		event->local_port = local_port;
		event->remote_port = remote_port;
		event->old_state = ctx->args[1];
		event->new_state = new_state;
		if (start) {
			event->has_duration = 1;
			event->duration_ns = now - *start;
		}
		if (family == AF_INET6) {
			event->is_ipv6 = 1;
			BPF_CORE_READ_INTO(&event->local, common, skc_v6_rcv_saddr);
			BPF_CORE_READ_INTO(&event->remote, common, skc_v6_daddr);
		} else {
			BPF_CORE_READ_INTO((__u32 *)event->local, common, skc_rcv_saddr);
			BPF_CORE_READ_INTO((__u32 *)event->remote, common, skc_daddr);
		}
		bpf_get_current_comm(&event->comm, sizeof(event->comm));
		bpf_ringbuf_submit(event, 0);
	}
	// The next socket at this address is another one.
	if (new_state == STATE_CLOSE)
		bpf_map_delete_elem(&since, &socket);
	else
		bpf_map_update_elem(&since, &socket, &now, BPF_ANY);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
