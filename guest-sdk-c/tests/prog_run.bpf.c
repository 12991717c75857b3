// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs that are run by tests: on packets, contexts and arguments.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

__u64 runs;
__u64 arguments[2];
__u32 cpu;

// Changes the first byte, and shortens the packet by what its second says.
SEC("xdp")
int on_packet(struct xdp_md *ctx)
{
	__u8 *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	__u8 less;

	if (data + 2 > end)
		return XDP_ABORTED;
	__sync_fetch_and_add(&runs, 1);
	data[0] = 0xab;
	less = data[1];
	if (less && bpf_xdp_adjust_tail(ctx, -(int)less))
		return XDP_ABORTED;
	return XDP_PASS;
}

// Answers what the context's mark says, and changes it.
SEC("tc")
int on_context(struct __sk_buff *ctx)
{
	__u32 mark = ctx->mark;

	ctx->mark = mark + 1;
	return mark;
}

SEC("raw_tp/sys_enter")
int on_arguments(struct bpf_raw_tracepoint_args *ctx)
{
	arguments[0] = ctx->args[0];
	arguments[1] = ctx->args[1];
	cpu = bpf_get_smp_processor_id();
	return 7;
}

struct question {
	__u64 first, second, sum;
};

SEC("syscall")
int on_question(struct question *question)
{
	question->sum = question->first + question->second;
	return 3;
}
