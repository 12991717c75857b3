// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs that count how often they run, and keep the cookie that they were attached with. All are for tracepoints, which every kernel
// has.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

__u64 by_tracepoint, by_raw, by_btf, by_section, by_other, by_nothing;
__u64 tracepoint_cookie, raw_cookie, btf_cookie;

SEC("tracepoint")
int at_tracepoint(void *ctx)
{
	tracepoint_cookie = bpf_get_attach_cookie(ctx);
	__sync_fetch_and_add(&by_tracepoint, 1);
	return 0;
}

SEC("raw_tracepoint")
int at_raw(void *ctx)
{
	raw_cookie = bpf_get_attach_cookie(ctx);
	__sync_fetch_and_add(&by_raw, 1);
	return 0;
}

SEC("tp_btf/sys_enter")
int at_btf(void *ctx)
{
	btf_cookie = bpf_get_attach_cookie(ctx);
	__sync_fetch_and_add(&by_btf, 1);
	return 0;
}

SEC("raw_tp/sys_enter")
int at_section(void *ctx)
{
	__sync_fetch_and_add(&by_section, 1);
	return 0;
}

SEC("tp/raw_syscalls/sys_enter")
int at_section_too(void *ctx)
{
	__sync_fetch_and_add(&by_other, 1);
	return 0;
}

SEC("?raw_tp/sys_enter")
int not_loaded(void *ctx)
{
	by_nothing++;
	return 0;
}
