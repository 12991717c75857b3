/* What libbpf treats in its own way: declarations for the kernel to fill in, probes, operations, map templates. */
#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>
#include <bpf/usdt.bpf.h>

extern int LINUX_KERNEL_VERSION __kconfig;
extern const void bpf_prog_type_map __ksym __weak;

struct task_struct {
	int pid;
	struct task_struct *real_parent;
} __attribute__((preserve_access_index));

struct request {
	struct task_struct *task;
	char _[2];
};
const struct request *unused __attribute__((unused));

struct tcp_congestion_ops {
	__u32 flags;
	char name[16];
	void (*cong_avoid)(void *sk);
};

struct value {
	struct bpf_spin_lock lock;
	struct bpf_timer timer;
	struct task_struct __attribute__((btf_type_tag("kptr"))) *task;
};
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, int);
	__type(value, struct value);
} values SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__array(values, int(void *));
} calls SEC(".maps");

char version_text[] = "v1";
__weak int weak_value = 3;
int hidden_value __attribute__((visibility("hidden"))) = 4;

static __noinline int helper(int a)
{
	return a + weak_value + hidden_value;
}

__noinline int global_helper(int a)
{
	return a * 2;
}

SEC("usdt")
int BPF_USDT(probe, int a)
{
	return helper(a);
}

SEC("?kprobe/do_unlinkat")
int BPF_KPROBE(unlink, int dfd)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, real_parent, pid) + global_helper(LINUX_KERNEL_VERSION) + (long)&bpf_prog_type_map;
}

SEC("struct_ops/avoid")
void avoid(void *ctx)
{
}

SEC(".struct_ops")
struct tcp_congestion_ops mine = { .name = "mine", .cong_avoid = (void *)avoid };

char LICENSE[] SEC("license") = "GPL";
