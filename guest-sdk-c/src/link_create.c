// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <bpf/bpf.h>

#include <stdlib.h>
#include <string.h>

#include "attach/attach.h"
#include "attach/numbers.h"
#include "descriptors.h"

// Options are known by the caller up to and with those of a kind, or not at all.
#define KNOWN(options, kind) (WB_HAS_OPTION(options, kind) ? &(options)->kind : NULL)

// What a kind does not use has to be zero: all that the options have from `from` on.
static bool rest_is_zero(const struct bpf_link_create_opts *options, size_t from)
{
	if (!options)
		return true;
	for (size_t at = from; at < options->sz && at < sizeof(*options); at++) {
		if (((const unsigned char *)options)[at])
			return false;
	}
	return true;
}

static int create_multi(struct wb_attaching *it, const struct bpf_link_create_opts *options, bool is_session)
{
	__typeof__(&options->kprobe_multi) given = KNOWN(options, kprobe_multi);

	if (!given)
		return wb_refuse(EINVAL, "program '%s': nothing says where its probes go", it->name);
	if (given->flags & ~WB_MULTI_RETURN)
		return wb_refuse(EINVAL, "program '%s': flags 0x%x are not known", it->name, given->flags);
	LIBBPF_OPTS(bpf_kprobe_multi_opts, opts, .syms = given->syms, .addrs = given->addrs, .cookies = given->cookies, .cnt = given->cnt,
		    .retprobe = given->flags & WB_MULTI_RETURN, .session = is_session);
	return wb_attach_kprobe_multi(it, NULL, &opts);
}

static int create_uprobe_multi(struct wb_attaching *it, const struct bpf_link_create_opts *options, bool is_session)
{
	__typeof__(&options->uprobe_multi) given = KNOWN(options, uprobe_multi);

	if (!given)
		return wb_refuse(EINVAL, "program '%s': nothing says where its probes go", it->name);
	if (given->flags & ~WB_MULTI_RETURN)
		return wb_refuse(EINVAL, "program '%s': flags 0x%x are not known", it->name, given->flags);
	LIBBPF_OPTS(bpf_uprobe_multi_opts, opts, .offsets = given->offsets, .ref_ctr_offsets = given->ref_ctr_offsets,
		    .cookies = given->cookies, .cnt = given->cnt, .retprobe = given->flags & WB_MULTI_RETURN, .session = is_session);
	// Here 0 is every process, in bpf_program__attach_uprobe_multi it is -1.
	return wb_attach_uprobe_multi(it, given->pid ? (pid_t)given->pid : -1, given->path, NULL, &opts);
}

static int create_netfilter(struct wb_attaching *it, const struct bpf_link_create_opts *options)
{
	__typeof__(&options->netfilter) given = KNOWN(options, netfilter);

	if (!given)
		return wb_refuse(EINVAL, "program '%s': nothing says which hook of netfilter", it->name);
	return wb_attach_netfilter(it, given->pf, given->hooknum, given->priority, given->flags);
}

// The places of tcx, netkit and cgroups have one layout.
static struct wb_place place_of(const struct bpf_link_create_opts *options)
{
	__typeof__(&options->tcx) given = KNOWN(options, tcx);
	struct wb_place place = { .flags = WB_OPTION(options, flags, 0) };

	if (given) {
		place.relative_fd = given->relative_fd;
		place.relative_id = given->relative_id;
		place.expected_revision = given->expected_revision;
	}
	return place;
}

// The function of a program by its type in the program's BTF.
static int create_freplace(struct wb_attaching *it, int target_fd, uint32_t function)
{
	wasm_bpf_bpf_programs_borrow_program_t target;
	wasm_bpf_bpf_btf_option_own_btf_t btf;
	wasm_bpf_bpf_btf_type_info_t type;
	wasm_bpf_bpf_types_error_t error;
	wasm_bpf_string_t text;
	char *name;
	bool is_known;
	int result;

	if (!wb_program_of(target_fd, &target))
		return wb_refuse(errno, "program '%s': %d is no program", it->name, target_fd);
	if (!wasm_bpf_bpf_btf_static_btf_of_program(target, &btf, &error))
		return wb_fail(&error, "read the BTF of a program");
	is_known = btf.is_some && wasm_bpf_bpf_btf_method_btf_describe(wasm_bpf_bpf_btf_borrow_btf(btf.val), function, &type);
	if (btf.is_some)
		wasm_bpf_bpf_btf_btf_drop_own(btf.val);
	if (!is_known)
		return wb_refuse(EINVAL, "program '%s': its target has no type %u", it->name, function);
	text = type.name;
	type.name = (wasm_bpf_string_t){ 0 };
	wasm_bpf_bpf_btf_type_info_free(&type);
	name = wb_take_string(&text);
	if (!name)
		return wb_no_memory();
	result = wb_attach_freplace(it, target_fd, name);
	free(name);
	return result;
}

static int create_struct_ops(int map_fd)
{
	wasm_bpf_bpf_maps_borrow_map_t map;
	wasm_bpf_bpf_links_own_link_t link;
	wasm_bpf_bpf_types_error_t error;

	if (!wb_map_of(map_fd, &map))
		return -errno;
	if (!wasm_bpf_bpf_links_attach_struct_ops(map, &link, &error))
		return wb_fail(&error, "register the operations in a map");
	return wb_link_descriptor(link);
}

static int create_tracing(struct wb_attaching *it, int target_fd, const struct bpf_link_create_opts *options)
{
	__typeof__(&options->tracing) given = KNOWN(options, tracing);

	if (target_fd)
		return wb_refuse(ENOTSUP, "program '%s': it is attached to what it was loaded for; no other target can be given", it->name);
	if (it->type == BPF_LSM_MAC && (!given || !given->cookie))
		return wb_attach_lsm(it);
	return wb_attach_trace(it, given ? given->cookie : 0);
}

static int create(struct wb_attaching *it, int target_fd, const struct bpf_link_create_opts *options)
{
	struct wb_place place = place_of(options);
	uint32_t flags = WB_OPTION(options, flags, 0), function = WB_OPTION(options, target_btf_id, 0);

	if (function)
		return create_freplace(it, target_fd, function);
	switch ((int)it->type) {
	case WB_TYPE_TCX_INGRESS:
	case WB_TYPE_TCX_EGRESS:
		return wb_attach_tcx(it, target_fd, &place);
	case WB_TYPE_NETKIT_PRIMARY:
	case WB_TYPE_NETKIT_PEER:
		return wb_attach_netkit(it, target_fd, &place);
	case BPF_CGROUP_INET_INGRESS ... BPF_CGROUP_SOCK_OPS:
	case BPF_CGROUP_DEVICE:
	case BPF_CGROUP_INET4_BIND ... BPF_CGROUP_UDP6_SENDMSG:
	case BPF_CGROUP_SYSCTL ... BPF_CGROUP_SETSOCKOPT:
	case BPF_CGROUP_INET4_GETPEERNAME ... BPF_CGROUP_INET6_GETSOCKNAME:
	case BPF_CGROUP_INET_SOCK_RELEASE:
	case BPF_LSM_CGROUP:
	case WB_TYPE_CGROUP_UNIX_FIRST ... WB_TYPE_CGROUP_UNIX_LAST:
		return wb_attach_cgroup(it, target_fd, &place);
	case BPF_XDP:
		return wb_attach_xdp(it, target_fd, flags);
	}
	if (flags)
		return wb_refuse(EINVAL, "program '%s': flags 0x%x say nothing for attach type %d", it->name, flags, it->type);
	switch ((int)it->type) {
	case BPF_TRACE_ITER:
		return wb_attach_iterator(it, WB_OPTION(options, iter_info, NULL), WB_OPTION(options, iter_info_len, 0));
	case BPF_PERF_EVENT:
		return wb_attach_perf_event(it, target_fd, WB_OPTION(options, perf_event.bpf_cookie, 0));
	case BPF_TRACE_KPROBE_MULTI:
	case WB_TYPE_KPROBE_SESSION:
		return create_multi(it, options, it->type != BPF_TRACE_KPROBE_MULTI);
	case WB_TYPE_UPROBE_MULTI:
	case WB_TYPE_UPROBE_SESSION:
		return create_uprobe_multi(it, options, (int)it->type == WB_TYPE_UPROBE_SESSION);
	case BPF_TRACE_RAW_TP:
	case BPF_TRACE_FENTRY:
	case BPF_TRACE_FEXIT:
	case BPF_MODIFY_RETURN:
	case WB_TYPE_FSESSION:
	case BPF_LSM_MAC:
		return create_tracing(it, target_fd, options);
	case WB_TYPE_NETFILTER:
		return create_netfilter(it, options);
	case BPF_FLOW_DISSECTOR:
	case BPF_SK_LOOKUP:
		return wb_attach_netns(it, target_fd);
	case BPF_SK_SKB_STREAM_PARSER:
	case BPF_SK_SKB_STREAM_VERDICT:
	case BPF_SK_SKB_VERDICT:
	case BPF_SK_MSG_VERDICT:
		return wb_attach_sockmap(it, target_fd);
	}
	return wb_refuse(EINVAL, "program '%s': there are no links for attach type %d", it->name, it->type);
}

// How much of the options a kind uses.
static size_t used(enum bpf_attach_type type)
{
	switch ((int)type) {
	case BPF_TRACE_ITER:
	case BPF_FLOW_DISSECTOR:
	case BPF_SK_LOOKUP:
	case BPF_SK_SKB_STREAM_PARSER:
	case BPF_SK_SKB_STREAM_VERDICT:
	case BPF_SK_SKB_VERDICT:
	case BPF_SK_MSG_VERDICT:
	case BPF_XDP:
	case WB_TYPE_STRUCT_OPS:
		return offsetof(struct bpf_link_create_opts, perf_event);
	case BPF_PERF_EVENT:
	case BPF_TRACE_RAW_TP:
	case BPF_TRACE_FENTRY:
	case BPF_TRACE_FEXIT:
	case BPF_MODIFY_RETURN:
	case WB_TYPE_FSESSION:
	case BPF_LSM_MAC:
		return offsetof(struct bpf_link_create_opts, perf_event) + sizeof(((struct bpf_link_create_opts *)0)->perf_event);
	case BPF_TRACE_KPROBE_MULTI:
	case WB_TYPE_KPROBE_SESSION:
		return offsetof(struct bpf_link_create_opts, kprobe_multi) + sizeof(((struct bpf_link_create_opts *)0)->kprobe_multi);
	case WB_TYPE_UPROBE_MULTI:
	case WB_TYPE_UPROBE_SESSION:
		return offsetof(struct bpf_link_create_opts, uprobe_multi) + sizeof(((struct bpf_link_create_opts *)0)->uprobe_multi);
	default:
		return offsetof(struct bpf_link_create_opts, tcx) + sizeof(((struct bpf_link_create_opts *)0)->tcx);
	}
}

int bpf_link_create(int prog_fd, int target_fd, enum bpf_attach_type attach_type, const struct bpf_link_create_opts *opts)
{
	WB_CALL;
	struct wb_attaching it;
	uint32_t function = WB_OPTION(opts, target_btf_id, 0);
	bool has_iteration = WB_OPTION(opts, iter_info_len, 0) || WB_OPTION(opts, iter_info, NULL);

	if (!WB_OPTIONS_VALID(opts, bpf_link_create_opts))
		return -EINVAL;
	if (!rest_is_zero(opts, function ? offsetof(struct bpf_link_create_opts, perf_event) : used(attach_type)) ||
	    (has_iteration && (function || attach_type != BPF_TRACE_ITER)))
		return wb_refuse(EINVAL, "options are set that attach type %d does not use", attach_type);
	if ((int)attach_type == WB_TYPE_STRUCT_OPS)
		return create_struct_ops(prog_fd);
	if (!wb_attaching_fd(&it, prog_fd, attach_type))
		return -errno;
	return wb_attach_descriptor(&it, create(&it, target_fd, opts));
}
