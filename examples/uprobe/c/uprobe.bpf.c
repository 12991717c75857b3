// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Reports the calls of a function of a program: two arguments, what it returns, how long it took.
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <wasm_bpf/ringbuf.bpf.h>

#include "uprobe.h"

struct call {
	__u64 start;
	__s64 first, second;
};

// The calls under way, by thread.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, __u32);
	__type(value, struct call);
} calls SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

WASM_BPF_LOST_COUNTER(lost);

SEC("uprobe")
int on_call(struct pt_regs *ctx)
{
	struct call call = { .start = bpf_ktime_get_ns(), .first = PT_REGS_PARM1(ctx), .second = PT_REGS_PARM2(ctx) };
	__u32 tid = bpf_get_current_pid_tgid();

	bpf_map_update_elem(&calls, &tid, &call, BPF_ANY);
	return 0;
}

SEC("uretprobe")
int on_return(struct pt_regs *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tid = id;
	struct event *event;
	struct call *call;

	call = bpf_map_lookup_elem(&calls, &tid);
	if (!call)
		return 0;
	event = wasm_bpf_ringbuf_reserve(&events, sizeof(*event), &lost);
	if (event) {
		event->duration_ns = bpf_ktime_get_ns() - call->start;
		event->first = call->first;
		event->second = call->second;
		event->result = PT_REGS_RC(ctx);
		event->pid = id >> 32;
		event->unused = 0;
		bpf_ringbuf_submit(event, 0);
	}
	bpf_map_delete_elem(&calls, &tid);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
