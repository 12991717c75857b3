// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Probes of functions of the files that their sections name.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u64 calls;

SEC("uprobe//run/wasm-bpf-conformance/target:wbc_target")
int on_call(void *ctx)
{
	__sync_fetch_and_add(&calls, 1);
	return 0;
}

SEC("?uprobe/target:wbc_target")
int without_folder(void *ctx)
{
	return 0;
}

SEC("?uprobe//run/wasm-bpf-conformance/../wasm-bpf-conformance/target:wbc_target")
int climbs(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
