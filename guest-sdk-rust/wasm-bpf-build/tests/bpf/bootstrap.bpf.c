/* A ring buffer, a threshold and an event: what most components have. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <wasm_bpf/ringbuf.bpf.h>

struct event {
	__u32 pid;
	__u32 ppid;
	unsigned exit_code;
	unsigned long long duration_ns;
	char comm[16];
	char filename[127];
	_Bool exit_event;
};

const struct event *unused __attribute__((unused));

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, __u64);
} exec_start SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} rb SEC(".maps");

WASM_BPF_LOST_COUNTER(lost);

const volatile unsigned long long min_duration_ns = 0;

SEC("tp/sched/sched_process_exec")
int handle_exec(void *ctx)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	__u64 now = bpf_ktime_get_ns();
	struct event *e;

	bpf_map_update_elem(&exec_start, &pid, &now, BPF_ANY);
	if (min_duration_ns)
		return 0;
	e = wasm_bpf_ringbuf_reserve(&rb, sizeof(*e), &lost);
	if (!e)
		return 0;
	e->pid = pid;
	e->exit_event = 0;
	bpf_get_current_comm(e->comm, sizeof(e->comm));
	bpf_ringbuf_submit(e, 0);
	return 0;
}

SEC("tp/sched/sched_process_exit")
int handle_exit(void *ctx)
{
	struct event e = { .exit_event = 1 };

	e.pid = bpf_get_current_pid_tgid() >> 32;
	wasm_bpf_ringbuf_output(&rb, &e, sizeof(e), 0, &lost);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
