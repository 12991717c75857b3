// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// A program that prints.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

extern int bpf_stream_vprintk_impl(int stream, const char *format, const void *arguments,
				   __u32 length, void *aux) __ksym __weak;

SEC("raw_tp/sys_enter")
int print(struct bpf_raw_tracepoint_args *ctx)
{
	static const char out[] = "number %llu\n";
	static const char error[] = "failed %llu\n";
	__u64 number[1] = { ctx->args[0] };

	int failed = bpf_stream_vprintk_impl(1, out, number, sizeof(number), 0);
	if (failed)
		return failed;
	if (ctx->args[1])
		bpf_stream_vprintk_impl(2, error, number, sizeof(number), 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
