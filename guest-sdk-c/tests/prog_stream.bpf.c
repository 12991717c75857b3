// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Prints to its own streams, where the kernel has them.
#include <linux/bpf.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

// The kernel changed the function's name and arguments in its second version.
extern int bpf_stream_vprintk_impl(int stream, const char *format, const void *arguments, __u32 length, void *hidden) __ksym __weak;
extern int bpf_stream_vprintk(int stream, const char *format, const void *arguments, __u32 length) __ksym __weak;

int answer = -1;

static __always_inline int print(int stream, const char *format, __u64 *number)
{
	if (bpf_ksym_exists(bpf_stream_vprintk_impl))
		return bpf_stream_vprintk_impl(stream, format, number, sizeof(*number), 0);
	if (bpf_ksym_exists(bpf_stream_vprintk))
		return bpf_stream_vprintk(stream, format, number, sizeof(*number));
	return -1;
}

SEC("raw_tp/sys_enter")
int say(void *ctx)
{
	static const char out[] = "out %llu\n", error[] = "err %llu\n";
	__u64 number = 42;

	answer = print(1, out, &number);
	if (!answer)
		answer = print(2, error, &number);
	return 0;
}
