// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Programs that are run without being attached. Each is loaded by the case that needs it.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u64 runs;
__u32 cpu;

// Adds 1 to the first byte of the packet, and returns what the second says.
SEC("?xdp")
int on_packet(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data;

	__sync_fetch_and_add(&runs, 1);
	if ((void *)(data + 2) > (void *)(long)ctx->data_end)
		return XDP_ABORTED;
	data[0] += 1;
	return data[1];
}

// Takes the packet's front off, and tells how long it is now in the context.
SEC("?tc")
int on_buffer(struct __sk_buff *ctx)
{
	ctx->cb[0] += 1;
	ctx->mark = ctx->len;
	return 7;
}

// Returns a sum of its arguments.
SEC("?raw_tp/sys_enter")
int on_tracepoint(struct bpf_raw_tracepoint_args *ctx)
{
	runs += 1;
	cpu = bpf_get_smp_processor_id();
	return ctx->args[0] + ctx->args[1];
}

// Returns the process that runs it.
SEC("?raw_tp/sys_enter")
int on_own_process(void *ctx)
{
	return bpf_get_current_pid_tgid() >> 32;
}

struct question {
	__u64 number;
	__u64 square;
};

SEC("?syscall")
int answer(struct question *question)
{
	question->square = question->number * question->number;
	return 3;
}

SEC("?fentry/bpf_fentry_test1")
int on_function(void *ctx)
{
	runs += 1;
	return 0;
}

SEC("?sk_lookup")
int on_lookup(struct bpf_sk_lookup *ctx)
{
	return ctx->local_port == 4242 ? SK_PASS : SK_DROP;
}

// Nothing to run it with.
SEC("?perf_event")
int on_event(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
