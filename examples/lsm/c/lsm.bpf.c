// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Denies connections to one IPv4 address, and reports those to all.
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <wasm_bpf/ringbuf.bpf.h>

#include "lsm.h"

#define AF_INET 2
#define EPERM 1

struct socket;

struct sockaddr {
	unsigned short sa_family;
} __attribute__((preserve_access_index));

struct in_addr {
	__be32 s_addr;
} __attribute__((preserve_access_index));

struct sockaddr_in {
	__be16 sin_port;
	struct in_addr sin_addr;
} __attribute__((preserve_access_index));

// In the order of the network.
const volatile __u32 denied_address = 0;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

WASM_BPF_LOST_COUNTER(lost);

SEC("lsm/socket_connect")
int BPF_PROG(on_connect, struct socket *socket, struct sockaddr *address, int length, int so_far)
{
	struct sockaddr_in *in = (void *)address;
	struct event *event;
	__u32 target;
	int is_denied;

	// Another security module has denied it.
	if (so_far)
		return so_far;
	if (address->sa_family != AF_INET)
		return 0;
	target = BPF_CORE_READ(in, sin_addr.s_addr);
	is_denied = target == denied_address;
	event = wasm_bpf_ringbuf_reserve(&events, sizeof(*event), &lost);
	if (event) {
		__builtin_memset(event, 0, sizeof(*event));
		event->pid = bpf_get_current_pid_tgid() >> 32;
		event->uid = bpf_get_current_uid_gid();
		event->address = target;
		event->port = bpf_ntohs(BPF_CORE_READ(in, sin_port));
		event->is_denied = is_denied;
		bpf_get_current_comm(&event->comm, sizeof(event->comm));
		bpf_ringbuf_submit(event, 0);
	}
	return is_denied ? -EPERM : 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
