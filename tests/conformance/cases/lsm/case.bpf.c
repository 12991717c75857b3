// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Programs on security hooks. All are off until a case switches them on.
#include "mkdir.h"

__u64 asked = 0;

// Only folders of one name cannot be made.
SEC("?lsm/inode_mkdir")
int denies(__u64 *ctx)
{
	int before = (int)ctx[3];

	if (before || !is_denied_folder((void *)ctx[1]))
		return before;
	asked++;
	return -1; // EPERM
}

// Sees, and lets pass.
SEC("?lsm/inode_mkdir")
int audits(__u64 *ctx)
{
	if (is_denied_folder((void *)ctx[1]))
		asked++;
	return (int)ctx[3];
}

// Without a hook: it is set before load.
SEC("?lsm")
int anywhere(__u64 *ctx)
{
	return 0;
}

SEC("?lsm_cgroup/socket_bind")
int in_a_cgroup(__u64 *ctx)
{
	return 1;
}

SEC("?raw_tp/sys_enter")
int on_enter(struct bpf_raw_tracepoint_args *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
