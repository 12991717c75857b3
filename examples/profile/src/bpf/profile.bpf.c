// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// Counts stacks at the samples of a clock.
#include <linux/bpf.h>
#include <linux/bpf_perf_event.h>
#include <bpf/bpf_helpers.h>

#include "profile.h"

#define EFAULT 14

// 0: all processes.
const volatile __u32 target_tgid = 0;
const volatile _Bool with_user = 1;
const volatile _Bool with_kernel = 1;
const volatile _Bool with_idle = 0;

// What could not be counted because a map was full, and stacks that another one had the place of.
__u64 samples_without_room = 0;
__u64 stacks_without_room = 0;

struct {
	__uint(type, BPF_MAP_TYPE_STACK_TRACE);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct stack);
} stacks SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__type(key, struct place);
	__type(value, __u64);
} counts SEC(".maps");

static int stack_of(struct bpf_perf_event_data *ctx, __u64 flags)
{
	int id = bpf_get_stackid(ctx, &stacks, flags);

	// Tasks of the kernel have no stack in user space, which is no loss.
	if (id < 0 && id != -EFAULT)
		__sync_fetch_and_add(&stacks_without_room, 1);
	return id;
}

SEC("perf_event")
int on_sample(struct bpf_perf_event_data *ctx)
{
	__u64 pid_tgid = bpf_get_current_pid_tgid(), one = 1, *count;
	struct place place = {};

	// The idle tasks, one for each CPU.
	if (!(__u32)pid_tgid && !with_idle)
		return 0;
	place.tgid = pid_tgid >> 32;
	if (target_tgid && place.tgid != target_tgid)
		return 0;
	place.user_stack = with_user ? stack_of(ctx, BPF_F_USER_STACK) : -EFAULT;
	place.kernel_stack = with_kernel ? stack_of(ctx, 0) : -EFAULT;
	bpf_get_current_comm(&place.comm, sizeof(place.comm));
	count = bpf_map_lookup_elem(&counts, &place);
	if (!count) {
		// Another CPU may be first.
		if (!bpf_map_update_elem(&counts, &place, &one, BPF_NOEXIST))
			return 0;
		count = bpf_map_lookup_elem(&counts, &place);
		if (!count) {
			__sync_fetch_and_add(&samples_without_room, 1);
			return 0;
		}
	}
	__sync_fetch_and_add(count, 1);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
