// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is attached where, whoever attached it.
#include <string.h>

#include <bpf/bpf.h>

#include "attach/attach.h"
#include "attach/numbers.h"
#include "errors.h"
#include "globals.h"
#include "options.h"
#include "paths.h"

typedef wasm_bpf_bpf_query_list_attached_t list_t;

static int ask_file(int fd, uint32_t type, const uint32_t flags, bool is_netns, list_t *list)
{
	wasi_filesystem_types_own_descriptor_t file;
	wasi_filesystem_types_borrow_descriptor_t borrowed;
	wasm_bpf_bpf_query_error_t error;
	int err;
	bool ok;

	err = wb_open_path_of(fd, &file);
	if (err)
		return wb_refuse(-err, "%d is no descriptor of a file", fd);
	borrowed = wasi_filesystem_types_borrow_descriptor(file);
	ok = is_netns ? wasm_bpf_bpf_query_attached_to_netns(borrowed, type, list, &error)
		      : wasm_bpf_bpf_query_attached_to_cgroup(borrowed, type, flags & BPF_F_QUERY_EFFECTIVE, list, &error);
	wasi_filesystem_types_descriptor_drop_own(file);
	return ok ? 0 : wb_fail(&error, "ask what is attached");
}

static int ask_interface(int ifindex, uint32_t type, list_t *list)
{
	wasm_bpf_bpf_query_error_t error;
	wasm_bpf_string_t name;
	int err;
	bool ok;

	err = wb_interface_name(ifindex, &name);
	if (err)
		return err;
	ok = wasm_bpf_bpf_query_attached_to_interface(&name, type, list, &error);
	wasm_bpf_string_free(&name);
	return ok ? 0 : wb_fail(&error, "ask what is attached");
}

static int ask(int target, uint32_t type, uint32_t flags, list_t *list)
{
	switch (type) {
	case BPF_SK_SKB_STREAM_PARSER:
	case BPF_SK_SKB_STREAM_VERDICT:
	case BPF_SK_SKB_VERDICT:
	case BPF_SK_MSG_VERDICT:
	case BPF_LIRC_MODE2:
		return wb_refuse(ENOTSUP, "the host does not ask maps of sockets and infrared receivers what is attached to them");
	case WB_TYPE_TCX_INGRESS:
	case WB_TYPE_TCX_EGRESS:
	case WB_TYPE_NETKIT_PRIMARY:
	case WB_TYPE_NETKIT_PEER:
		return ask_interface(target, type, list);
	}
	return ask_file(target, type, flags, type == BPF_FLOW_DISSECTOR || type == BPF_SK_LOOKUP, list);
}

int bpf_prog_query_opts(int target, enum bpf_attach_type type, struct bpf_prog_query_opts *opts)
{
	const uint32_t flags = WB_OPTION(opts, query_flags, 0), room = WB_OPTION(opts, count, 0);
	__u32 *const ids = WB_OPTION(opts, prog_ids, NULL), *const attach_flags = WB_OPTION(opts, prog_attach_flags, NULL);
	__u32 *const links = WB_OPTION(opts, link_ids, NULL), *const link_flags = WB_OPTION(opts, link_attach_flags, NULL);
	list_t list;
	int err;

	if (!WB_OPTIONS_VALID(opts, bpf_prog_query_opts))
		return -EINVAL;
	if (flags & ~BPF_F_QUERY_EFFECTIVE)
		return wb_refuse(EINVAL, "the flags %#x of a query are not known", flags);
	WB_CALL;
	err = ask(target, type, flags, &list);
	if (err)
		return err;
	for (size_t i = 0; i < list.len && i < room; i++) {
		if (ids)
			ids[i] = list.ptr[i].program;
		if (attach_flags)
			attach_flags[i] = list.ptr[i].flags;
		if (links)
			links[i] = list.ptr[i].link;
		if (link_flags)
			link_flags[i] = 0;
	}
	// Of a cgroup all have the same; what runs for it from above may have others.
	WB_SET_OPTION(opts, attach_flags, list.len && !(flags & BPF_F_QUERY_EFFECTIVE) ? list.ptr[0].flags : 0);
	WB_SET_OPTION(opts, count, list.len);
	WB_SET_OPTION(opts, revision, 0);
	// Who has no room and no array asks only how many there are.
	if (room && ids && room < list.len)
		err = wb_refuse(ENOSPC, "an array of %u for %zu programs", room, list.len);
	wasm_bpf_bpf_query_list_attached_free(&list);
	return err;
}

int bpf_prog_query(int target, enum bpf_attach_type type, __u32 flags, __u32 *attach_flags, __u32 *ids, __u32 *count)
{
	LIBBPF_OPTS(bpf_prog_query_opts, opts, .query_flags = flags, .prog_ids = ids, .prog_cnt = *count);
	const int err = bpf_prog_query_opts(target, type, &opts);

	if (attach_flags)
		*attach_flags = opts.attach_flags;
	*count = opts.prog_cnt;
	return err;
}

int bpf_task_fd_query(int pid, int fd, __u32 flags, char *buffer, __u32 *length, __u32 *program, __u32 *type, __u64 *offset, __u64 *address)
{
	wasm_bpf_bpf_query_attached_event_t event;
	wasm_bpf_bpf_query_error_t error;
	const __u32 room = *length;
	size_t copied;
	int err = 0;

	if (flags)
		return wb_refuse(EINVAL, "a query of a process's descriptor has no flags, not %#x", flags);
	WB_CALL;
	if (!wasm_bpf_bpf_query_event_of_process(pid, fd, &event, &error))
		return wb_fail(&error, "ask what a descriptor of a process is attached to");
	*length = event.name.len;
	*program = event.program;
	*type = event.type;
	*offset = event.offset;
	*address = event.address;
	if (buffer && room) {
		copied = event.name.len < room ? event.name.len : room - 1;
		memcpy(buffer, event.name.ptr, copied);
		buffer[copied] = 0;
		if (copied < event.name.len)
			err = wb_refuse(ENOSPC, "a buffer of %u bytes for a name of %zu", room, event.name.len);
	}
	wasm_bpf_bpf_query_attached_event_free(&event);
	return err;
}
