// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// What both sides load: maps to read and write, and programs that fill buffers.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

struct trigger {
	__u64 thread;
	__u64 syscall;
};

// The only variable of its section: the native side sets it without a skeleton.
const volatile struct trigger trigger = {};

// As well.
__u64 counter = 0;

struct wide {
	__u64 words[8];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, __u64);
} numbers SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct wide);
} wides SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10000);
	__type(key, __u64);
	__type(value, __u64);
} entries SEC(".maps");

// Records of 64 bytes, so many that they fill most of either buffer.
#define RECORDS 3000

struct record {
	__u64 number;
	__u64 rest[7];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} events SEC(".maps");

static __always_inline int is_trigger(struct bpf_raw_tracepoint_args *ctx)
{
	return ctx->args[1] == trigger.syscall &&
	       (__u32)bpf_get_current_pid_tgid() == trigger.thread;
}

static long put(__u64 index, void *unused)
{
	struct record *record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);

	if (!record)
		return 1;
	*record = (struct record){ .number = index };
	bpf_ringbuf_submit(record, 0);
	return 0;
}

SEC("?raw_tp/sys_enter")
int fill_ring(struct bpf_raw_tracepoint_args *ctx)
{
	if (is_trigger(ctx))
		bpf_loop(RECORDS, put, 0, 0);
	return 0;
}

struct to_perf {
	struct bpf_raw_tracepoint_args *ctx;
};

static long output(__u64 index, void *data)
{
	struct to_perf *to = data;
	struct record record = { .number = index };

	return bpf_perf_event_output(to->ctx, &events, BPF_F_CURRENT_CPU, &record, sizeof(record)) != 0;
}

SEC("?raw_tp/sys_enter")
int fill_perf(struct bpf_raw_tracepoint_args *ctx)
{
	struct to_perf to = { .ctx = ctx };

	if (is_trigger(ctx))
		bpf_loop(RECORDS, output, &to, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
