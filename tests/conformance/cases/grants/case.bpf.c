// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// A program of each kind that needs a grant, and maps. All are off until a case switches them on; nothing here is ever attached.
#include <linux/bpf.h>
#include <linux/bpf_common.h>
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_DEVMAP);
	__uint(max_entries, 1);
	__uint(key_size, 4);
	__uint(value_size, 4);
} devices SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
	__uint(pinning, LIBBPF_PIN_BY_NAME);
} wasm_bpf_conf SEC(".maps");

// Changes a packet: what acts through the hook goes with the grant for it.
SEC("?xdp")
int on_xdp(struct xdp_md *ctx)
{
	bpf_xdp_adjust_head(ctx, 0);
	return XDP_PASS;
}

SEC("?tc")
int on_tc(struct __sk_buff *ctx)
{
	bpf_skb_pull_data(ctx, 0);
	return 0;
}

SEC("?action")
int on_action(struct __sk_buff *ctx)
{
	return 0;
}

SEC("?socket")
int on_socket(struct __sk_buff *ctx)
{
	return 0;
}

SEC("?cgroup_skb/egress")
int on_cgroup_skb(struct __sk_buff *ctx)
{
	return 1;
}

SEC("?cgroup/sock_create")
int on_cgroup_sock(struct bpf_sock *ctx)
{
	return 1;
}

SEC("?cgroup/connect4")
int on_cgroup_sock_addr(struct bpf_sock_addr *ctx)
{
	return 1;
}

SEC("?cgroup/dev")
int on_cgroup_device(struct bpf_cgroup_dev_ctx *ctx)
{
	return 1;
}

SEC("?cgroup/sysctl")
int on_cgroup_sysctl(struct bpf_sysctl *ctx)
{
	return 1;
}

SEC("?cgroup/getsockopt")
int on_cgroup_sockopt(struct bpf_sockopt *ctx)
{
	return 1;
}

SEC("?sockops")
int on_sock_ops(struct bpf_sock_ops *ctx)
{
	return 1;
}

SEC("?sk_lookup")
int on_sk_lookup(struct bpf_sk_lookup *ctx)
{
	return SK_PASS;
}

SEC("?flow_dissector")
int on_flow_dissector(struct __sk_buff *ctx)
{
	return BPF_OK;
}

SEC("?sk_skb/stream_verdict")
int on_sk_skb(struct __sk_buff *ctx)
{
	return SK_PASS;
}

SEC("?sk_msg")
int on_sk_msg(struct sk_msg_md *ctx)
{
	return SK_PASS;
}

SEC("?sk_reuseport")
int on_sk_reuseport(struct sk_reuseport_md *ctx)
{
	return SK_PASS;
}

SEC("?netfilter")
int on_netfilter(void *ctx)
{
	return 1; // NF_ACCEPT
}

SEC("?lwt_in")
int on_lwt_in(struct __sk_buff *ctx)
{
	return BPF_OK;
}

SEC("?lwt_out")
int on_lwt_out(struct __sk_buff *ctx)
{
	return BPF_OK;
}

SEC("?lwt_xmit")
int on_lwt_xmit(struct __sk_buff *ctx)
{
	return BPF_OK;
}

SEC("?lwt_seg6local")
int on_lwt_seg6local(struct __sk_buff *ctx)
{
	return BPF_OK;
}

// The hook is named by the guest.
SEC("?lsm")
int on_lsm(void *ctx)
{
	return 0;
}

// A hook for security modules: other functions take such programs only on kernels with error injection.
SEC("?fmod_ret/security_file_mprotect")
int on_fmod_ret(void *ctx)
{
	return 0;
}

// Only sees the call, unless the guest makes the above of it.
SEC("?fentry/security_file_mprotect")
int on_fentry(void *ctx)
{
	return 0;
}

SEC("?freplace/on_xdp")
int on_freplace(struct xdp_md *ctx)
{
	return XDP_PASS;
}

SEC("?raw_tp.w/sys_enter")
int on_raw_tp_writable(void *ctx)
{
	return 0;
}

SEC("?syscall")
int on_syscall(void *ctx)
{
	return 0;
}

SEC("?syscall")
int calls_bpf(void *ctx)
{
	return bpf_sys_bpf(0, 0, 0);
}

SEC("?lirc_mode2")
int on_lirc_mode2(__u32 *ctx)
{
	return 0;
}

SEC("?raw_tp/sys_enter")
int sends_signals(void *ctx)
{
	bpf_send_signal(0);
	return 0;
}

SEC("?raw_tp/sys_enter")
int observes(void *ctx)
{
	return bpf_ktime_get_ns() & 1;
}

char LICENSE[] SEC("license") = "GPL";
