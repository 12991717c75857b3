// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Measures how long TCP connections take to be made, from the call to the answer.
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "tcpconnlat.h"

#define AF_INET 2
#define AF_INET6 10
#define TCP_SYN_SENT 2

// The kernel's has a union inside, which nothing here looks into.
struct in6_addr {
} __attribute__((preserve_access_index));

struct sock_common {
	__be32 skc_daddr, skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
} __attribute__((preserve_access_index));

struct sock {
	struct sock_common __sk_common;
} __attribute__((preserve_access_index));

// Faster ones are not reported.
const volatile __u64 least_ns = 0;
// 0: all processes.
const volatile __u32 target_pid = 0;

struct start {
	__u64 time;
	__u32 pid;
	char comm[COMM_LENGTH];
};

// Connections that are being made, by the address of their socket.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct start);
} starts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} events SEC(".maps");

static int begin(struct sock *socket)
{
	struct start start = { .time = bpf_ktime_get_ns(), .pid = bpf_get_current_pid_tgid() >> 32 };
	__u64 key = (__u64)socket;

	if (target_pid && start.pid != target_pid)
		return 0;
	bpf_get_current_comm(&start.comm, sizeof(start.comm));
	bpf_map_update_elem(&starts, &key, &start, BPF_ANY);
	return 0;
}

SEC("kprobe/tcp_v4_connect")
int BPF_KPROBE(on_connect_v4, struct sock *socket)
{
	return begin(socket);
}

SEC("kprobe/tcp_v6_connect")
int BPF_KPROBE(on_connect_v6, struct sock *socket)
{
	return begin(socket);
}

// What a socket receives: in the state SYN_SENT it is the answer.
SEC("kprobe/tcp_rcv_state_process")
int BPF_KPROBE(on_receive, struct sock *socket)
{
	__u64 key = (__u64)socket;
	struct event event = {};
	struct start *start;

	if (BPF_CORE_READ(socket, __sk_common.skc_state) != TCP_SYN_SENT)
		return 0;
	start = bpf_map_lookup_elem(&starts, &key);
	if (!start)
		return 0;
	event.latency_ns = bpf_ktime_get_ns() - start->time;
	if (event.latency_ns < least_ns)
		goto end;
	event.pid = start->pid;
	__builtin_memcpy(event.comm, start->comm, sizeof(event.comm));
	event.source_port = BPF_CORE_READ(socket, __sk_common.skc_num);
	event.destination_port = bpf_ntohs(BPF_CORE_READ(socket, __sk_common.skc_dport));
	if (BPF_CORE_READ(socket, __sk_common.skc_family) == AF_INET) {
		__be32 address = BPF_CORE_READ(socket, __sk_common.skc_rcv_saddr);

		__builtin_memcpy(event.source, &address, 4);
		address = BPF_CORE_READ(socket, __sk_common.skc_daddr);
		__builtin_memcpy(event.destination, &address, 4);
	} else {
		event.is_ipv6 = 1;
		bpf_probe_read_kernel(event.source, 16,
				      __builtin_preserve_access_index(&socket->__sk_common.skc_v6_rcv_saddr));
		bpf_probe_read_kernel(event.destination, 16,
				      __builtin_preserve_access_index(&socket->__sk_common.skc_v6_daddr));
	}
	bpf_perf_event_output(ctx, &events, BPF_F_CURRENT_CPU, &event, sizeof(event));
end:
	bpf_map_delete_elem(&starts, &key);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
