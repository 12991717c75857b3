// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// A program for each kind of link; each is loaded by the case that needs it.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

SEC("?raw_tp/sys_enter")
int on_raw_tracepoint(void *ctx)
{
	return 0;
}

SEC("?tp_btf/sys_enter")
int on_btf_tracepoint(void *ctx)
{
	return 0;
}

SEC("?iter/task")
int on_task(void *ctx)
{
	return 0;
}

SEC("?tracepoint/syscalls/sys_enter_getpgid")
int on_tracepoint(void *ctx)
{
	return 0;
}

SEC("?kprobe/do_sys_openat2")
int on_kprobe(void *ctx)
{
	return 0;
}

SEC("?kretprobe/do_sys_openat2")
int on_kretprobe(void *ctx)
{
	return 0;
}

SEC("?uprobe//run/wasm-bpf-conformance/target:wbc_target")
int on_uprobe(void *ctx)
{
	return 0;
}

SEC("?uretprobe//run/wasm-bpf-conformance/target:wbc_target")
int on_uretprobe(void *ctx)
{
	return 0;
}

SEC("?kprobe.multi/vfs_read*")
int on_kprobe_multi(void *ctx)
{
	return 0;
}

SEC("?uprobe.multi//run/wasm-bpf-conformance/target:wbc_target")
int on_uprobe_multi(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
