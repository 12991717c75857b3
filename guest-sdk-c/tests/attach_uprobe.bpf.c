// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs for functions and USDT probes of the program in target/, which keep what they saw.
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/usdt.bpf.h>

char LICENSE[] SEC("license") = "GPL";

__u64 calls, returns, many, many_returns, steps, wanted;
__u64 cookie, many_cookies, usdt_cookie;
int first, second, result, argument, wanted_argument;
__u32 process;

SEC("uprobe")
int BPF_UPROBE(on_call, int a, int b)
{
	first = a;
	second = b;
	cookie = bpf_get_attach_cookie(ctx);
	process = bpf_get_current_pid_tgid() >> 32;
	__sync_fetch_and_add(&calls, 1);
	return 0;
}

SEC("uretprobe")
int BPF_URETPROBE(on_return, int answer)
{
	result = answer;
	__sync_fetch_and_add(&returns, 1);
	return 0;
}

SEC("uprobe.multi")
int on_many(struct pt_regs *ctx)
{
	__sync_fetch_and_or(&many_cookies, bpf_get_attach_cookie(ctx));
	__sync_fetch_and_add(&many, 1);
	return 0;
}

SEC("usdt")
int BPF_USDT(on_step, int number)
{
	argument = number;
	usdt_cookie = bpf_usdt_cookie(ctx);
	__sync_fetch_and_add(&steps, 1);
	return 0;
}

SEC("usdt")
int BPF_USDT(on_wanted, int number)
{
	wanted_argument = number;
	__sync_fetch_and_add(&wanted, 1);
	return 0;
}
