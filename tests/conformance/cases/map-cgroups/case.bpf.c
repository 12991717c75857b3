// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// At each trigger the program asks whether the runner is below a cgroup.
#include "trigger.h"

struct {
	__uint(type, BPF_MAP_TYPE_CGROUP_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u32);
} cgroups SEC(".maps");

// What the helper says of each: 1 yes, 0 no, negative an error.
long answers[2];

SEC("raw_tp/sys_enter")
int ask(struct bpf_raw_tracepoint_args *ctx)
{
	if (!is_trigger(ctx))
		return 0;
	answers[0] = bpf_current_task_under_cgroup(&cgroups, 0);
	answers[1] = bpf_current_task_under_cgroup(&cgroups, 1);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
