// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
// A program for each place of a cgroup. The guest loads one at a time.
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

__u64 calls = 0;

#define COUNTS(place, name, answer)                                            \
	SEC("?" place)                                                         \
	int name(void *ctx)                                                    \
	{                                                                      \
		__sync_fetch_and_add(&calls, 1);                               \
		return answer;                                                 \
	}

#define DENIES(place, name) COUNTS(place, name, 0)
#define ALLOWS(place, name) COUNTS(place, name, 1)

DENIES("cgroup_skb/ingress", drop_ingress)
DENIES("cgroup_skb/egress", drop_egress)
ALLOWS("cgroup_skb/egress", pass_egress)
// For either way: which one is said when it is attached.
DENIES("cgroup/skb", drop_either)

DENIES("cgroup/sock_create", deny_sock_create)
ALLOWS("cgroup/sock_release", see_sock_release)
DENIES("cgroup/post_bind4", deny_post_bind4)
DENIES("cgroup/post_bind6", deny_post_bind6)

DENIES("cgroup/bind4", deny_bind4)
DENIES("cgroup/bind6", deny_bind6)
DENIES("cgroup/connect4", deny_connect4)
DENIES("cgroup/connect6", deny_connect6)
DENIES("cgroup/sendmsg4", deny_sendmsg4)
DENIES("cgroup/sendmsg6", deny_sendmsg6)

#define RENAMES(place, name)                                                   \
	SEC("?" place)                                                         \
	int name(struct bpf_sock_addr *ctx)                                    \
	{                                                                      \
		__sync_fetch_and_add(&calls, 1);                               \
		ctx->user_port = __builtin_bswap16(4711);                      \
		return 1;                                                      \
	}

RENAMES("cgroup/recvmsg4", rename_recvmsg4)
RENAMES("cgroup/recvmsg6", rename_recvmsg6)
RENAMES("cgroup/getpeername4", rename_getpeername4)
RENAMES("cgroup/getpeername6", rename_getpeername6)
RENAMES("cgroup/getsockname4", rename_getsockname4)
// The one that runs last decides.
SEC("?cgroup/getsockname4")
int rename_again(struct bpf_sock_addr *ctx)
{
	ctx->user_port = __builtin_bswap16(4712);
	return 1;
}

RENAMES("cgroup/getsockname6", rename_getsockname6)

DENIES("cgroup/connect_unix", deny_connect_unix)
DENIES("cgroup/sendmsg_unix", deny_sendmsg_unix)
ALLOWS("cgroup/recvmsg_unix", see_recvmsg_unix)
ALLOWS("cgroup/getpeername_unix", see_getpeername_unix)
ALLOWS("cgroup/getsockname_unix", see_getsockname_unix)

DENIES("cgroup/dev", deny_device)
DENIES("cgroup/sysctl", deny_sysctl)

SEC("?cgroup/setsockopt")
int deny_setsockopt(struct bpf_sockopt *ctx)
{
	__sync_fetch_and_add(&calls, 1);
	// IPPROTO_IP, IP_TOS
	return !(ctx->level == 0 && ctx->optname == 1);
}

SEC("?cgroup/getsockopt")
int change_getsockopt(struct bpf_sockopt *ctx)
{
	__u8 *value = ctx->optval, *end = ctx->optval_end;

	if (ctx->level == 0 && ctx->optname == 1 && value + 1 <= end) {
		__sync_fetch_and_add(&calls, 1);
		value[0] = 0x55;
		ctx->retval = 0;
	}
	return 1;
}

SEC("?sockops")
int see_sockops(struct bpf_sock_ops *ctx)
{
	if (ctx->op == BPF_SOCK_OPS_TCP_CONNECT_CB)
		__sync_fetch_and_add(&calls, 1);
	return 1;
}

SEC("?lsm_cgroup/socket_bind")
int deny_lsm_bind(void *ctx)
{
	__sync_fetch_and_add(&calls, 1);
	return 0;
}

SEC("?lsm/socket_bind")
int whole_machine(void *ctx)
{
	return 0;
}

SEC("?raw_tp/sys_enter")
int of_another_kind(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
