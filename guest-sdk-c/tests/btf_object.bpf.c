// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An object whose types are looked at: functions, a map, global data of each kind, CO-RE relocations.
#include <linux/bpf.h>
#include <linux/types.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "btf_object.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8);
	__type(key, __u32);
	__type(value, struct reading);
} readings SEC(".maps");

struct task_struct {
	int pid;
} __attribute__((preserve_access_index));

const volatile __u32 limit = 3;
__u64 seen;
struct reading last = { .when = 7 };

SEC("raw_tp/sys_enter")
int record(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	__u32 key = BPF_CORE_READ(task, pid);
	struct reading reading = { .when = bpf_ktime_get_ns(), .value = 12 };

	if (key > limit)
		bpf_map_update_elem(&readings, &key, &reading, BPF_ANY);
	__sync_fetch_and_add(&seen, 1);
	last.when = reading.when;
	return 0;
}

char _license[] SEC("license") = "GPL";
