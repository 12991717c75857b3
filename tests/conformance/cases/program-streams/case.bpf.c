// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// A program that prints.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

// The second is what 7.0 made of the first, which went after that.
extern int bpf_stream_vprintk_impl(int stream, const char *format, const void *arguments,
				   __u32 length, void *aux) __ksym __weak;
extern int bpf_stream_vprintk(int stream, const char *format, const void *arguments,
			      __u32 length) __ksym __weak;

static __always_inline int print_to(int stream, const char *format, __u64 *number)
{
	if (bpf_ksym_exists(bpf_stream_vprintk_impl))
		return bpf_stream_vprintk_impl(stream, format, number, sizeof(*number), 0);
	return bpf_stream_vprintk(stream, format, number, sizeof(*number));
}

// Returns what the kernel says of the first line.
SEC("raw_tp/sys_enter")
int print(struct bpf_raw_tracepoint_args *ctx)
{
	static const char out[] = "number %llu\n";
	static const char error[] = "failed %llu\n";
	__u64 number = ctx->args[0];
	int answer = print_to(1, out, &number);

	if (ctx->args[1] && !answer)
		answer = print_to(2, error, &number);
	return answer;
}

char LICENSE[] SEC("license") = "GPL";
