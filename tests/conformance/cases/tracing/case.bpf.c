// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Programs whose target is fixed at load. All are off until a case switches them on.
#include "mkdir.h"

__u64 calls = 0;
__u64 cookie = 0;
__u64 result = 0;

static __always_inline int is_trigger_thread(void)
{
	return (__u32)bpf_get_current_pid_tgid() == trigger_thread;
}

SEC("?tp_btf/sys_enter")
int on_tracepoint(struct bpf_raw_tracepoint_args *ctx)
{
	if (is_trigger(ctx))
		calls++;
	return 0;
}

SEC("?tp_btf/sys_enter")
int on_tracepoint_with_cookie(struct bpf_raw_tracepoint_args *ctx)
{
	if (is_trigger(ctx)) {
		calls++;
		cookie = bpf_get_attach_cookie(ctx);
	}
	return 0;
}

// The function of the trigger's call: its name depends on the machine, and is set before load.
SEC("?fentry")
int on_entry(__u64 *ctx)
{
	if (is_trigger_thread())
		calls++;
	return 0;
}

SEC("?fentry")
int on_entry_with_cookie(__u64 *ctx)
{
	if (is_trigger_thread()) {
		calls++;
		cookie = bpf_get_attach_cookie(ctx);
	}
	return 0;
}

// One argument, and what it returns.
SEC("?fexit")
int on_exit(__u64 *ctx)
{
	if (is_trigger_thread()) {
		calls++;
		result = ctx[1] + 1000;
	}
	return 0;
}

SEC("?fsession")
int on_both(__u64 *ctx)
{
	if (is_trigger_thread())
		calls++;
	return 0;
}

// Only folders of one name cannot be made.
SEC("?fmod_ret/security_inode_mkdir")
int on_result(__u64 *ctx)
{
	if (!is_denied_folder((void *)ctx[1]))
		return 0;
	calls++;
	return -13; // EACCES
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
