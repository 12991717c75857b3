// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "../descriptors.h"
#include "../errors.h"
#include "../globals.h"
#include "give.h"

// struct bpf_link_info of Linux 6.18, for programs that have the newest header: the one that this is built with may be older.
struct known {
	__u32 type, id, prog_id, : 32;
	union {
		struct {
			__u64 name;
			__u32 name_size, : 32;
			__u64 cookie;
		} raw_tracepoint;
		struct {
			__u32 attach_type, target_obj_id, target_btf_id, : 32;
			__u64 cookie;
		} tracing;
		struct {
			__u64 id;
			__u32 attach_type;
		} cgroup;
		struct {
			__u64 target;
			__u32 target_size, map_id;
			union {
				struct {
					__u64 id;
					__u32 order;
				} cgroup;
				struct {
					__u32 tid, pid;
				} task;
			};
		} iter;
		struct {
			__u32 inode, attach_type;
		} netns;
		struct {
			__u32 ifindex, attach_type;
		} interface;
		struct {
			__u32 pf, hook;
			__s32 priority;
			__u32 flags;
		} netfilter;
		struct {
			__u64 addresses;
			__u32 count, flags;
			__u64 missed, cookies;
		} kprobe_multi;
		struct {
			__u64 path, offsets, semaphores, cookies;
			__u32 path_size, count, flags, pid;
		} uprobe_multi;
		struct {
			__u32 type, : 32;
			union {
				struct {
					__u64 path;
					__u32 path_size, offset;
					__u64 cookie, semaphore;
				} uprobe;
				struct {
					__u64 function;
					__u32 function_size, offset;
					__u64 address, missed, cookie;
				} kprobe;
				struct {
					__u64 name;
					__u32 name_size, : 32;
					__u64 cookie;
				} tracepoint;
				struct {
					__u64 config;
					__u32 type, : 32;
					__u64 cookie;
				} event;
			};
		} perf_event;
		struct {
			__u32 id, attach_type;
		} map;
	};
};

_Static_assert(offsetof(struct known, iter.cgroup) == offsetof(struct bpf_link_info, iter.cgroup), "the layout of struct bpf_link_info");
_Static_assert(offsetof(struct known, tracing.target_btf_id) == offsetof(struct bpf_link_info, tracing.target_btf_id),
	       "the layout of struct bpf_link_info");

enum { UPROBE = 1, URETPROBE, KPROBE, KRETPROBE, TRACEPOINT, EVENT }; // enum bpf_perf_event_type

// To arrays of the caller's, of which any may be NULL: the places of a link, of which there are `count`, as far as there is room.
static int give_places(wasm_bpf_bpf_links_borrow_link_t link, uint32_t room, uint64_t addresses, uint64_t cookies, uint64_t semaphores,
		       uint32_t count)
{
	__u64 *const to[] = { (__u64 *)(uintptr_t)addresses, (__u64 *)(uintptr_t)cookies, (__u64 *)(uintptr_t)semaphores };
	wasm_bpf_bpf_links_list_link_place_t list;
	wasm_bpf_bpf_links_error_code_t error;

	if (!to[0] && !to[1] && !to[2])
		return 0;
	if (!room)
		return wb_refuse(EINVAL, "an array for no places of a link");
	if (!wasm_bpf_bpf_links_method_link_places(link, &list, &error))
		return wb_fail_code(&error);
	for (size_t i = 0; i < list.len && i < room; i++) {
		const __u64 values[] = { list.ptr[i].address, list.ptr[i].cookie, list.ptr[i].semaphore_offset };

		for (int array = 0; array < 3; array++)
			if (to[array])
				to[array][i] = values[array];
	}
	wasm_bpf_bpf_links_list_link_place_free(&list);
	return room < count ? wb_refuse(ENOSPC, "arrays of %u for %u places of a link", room, count) : 0;
}

static int give_details(wasm_bpf_bpf_links_borrow_link_t link, struct known *known, const struct known *asked,
			const wasm_bpf_bpf_links_link_details_t *details)
{
	int err;

	switch (details->tag) {
	case WASM_BPF_BPF_LINKS_LINK_DETAILS_RAW_TRACEPOINT:
		known->raw_tracepoint.name = asked->raw_tracepoint.name;
		known->raw_tracepoint.name_size = details->val.raw_tracepoint.name.len + 1;
		known->raw_tracepoint.cookie = details->val.raw_tracepoint.cookie;
		return wb_give_text(asked->raw_tracepoint.name, asked->raw_tracepoint.name_size, &details->val.raw_tracepoint.name);
	case WASM_BPF_BPF_LINKS_LINK_DETAILS_TRACING:
		known->tracing.attach_type = details->val.tracing.attach_type;
		known->tracing.target_obj_id = details->val.tracing.target_object_id;
		known->tracing.target_btf_id = details->val.tracing.target_btf_id;
		known->tracing.cookie = details->val.tracing.cookie;
		return 0;
	case WASM_BPF_BPF_LINKS_LINK_DETAILS_CGROUP:
		known->cgroup.id = details->val.cgroup.cgroup_id;
		known->cgroup.attach_type = details->val.cgroup.attach_type;
		return 0;
	case WASM_BPF_BPF_LINKS_LINK_DETAILS_ITER:
		known->iter.target = asked->iter.target;
		known->iter.target_size = details->val.iter.target.len + 1;
		switch (details->val.iter.iteration.tag) {
		case WASM_BPF_BPF_LINKS_ITERATION_ELEMENTS_OF:
			known->iter.map_id = details->val.iter.iteration.val.elements_of;
			break;
		case WASM_BPF_BPF_LINKS_ITERATION_CGROUPS:
			known->iter.cgroup.id = details->val.iter.iteration.val.cgroups.cgroup_id;
			known->iter.cgroup.order = details->val.iter.iteration.val.cgroups.order;
			break;
		case WASM_BPF_BPF_LINKS_ITERATION_TASKS:
			known->iter.task.tid = details->val.iter.iteration.val.tasks.thread;
			known->iter.task.pid = details->val.iter.iteration.val.tasks.process;
			break;
		}
		return wb_give_text(asked->iter.target, asked->iter.target_size, &details->val.iter.target);
	case WASM_BPF_BPF_LINKS_LINK_DETAILS_NETNS:
		known->netns.inode = details->val.netns.inode;
		known->netns.attach_type = details->val.netns.attach_type;
		return 0;
	case WASM_BPF_BPF_LINKS_LINK_DETAILS_XDP:
		known->interface.ifindex = details->val.xdp.interface_index;
		return 0;
	case WASM_BPF_BPF_LINKS_LINK_DETAILS_TCX:
	case WASM_BPF_BPF_LINKS_LINK_DETAILS_NETKIT:
		known->interface.ifindex = details->val.tcx.interface_index;
		known->interface.attach_type = details->val.tcx.attach_type;
		return 0;
	case WASM_BPF_BPF_LINKS_LINK_DETAILS_STRUCT_OPS:
		known->map.id = details->val.struct_ops;
		return 0;
	case WASM_BPF_BPF_LINKS_LINK_DETAILS_SOCKMAP:
		known->map.id = details->val.sockmap.map_id;
		known->map.attach_type = details->val.sockmap.attach_type;
		return 0;
	case WASM_BPF_BPF_LINKS_LINK_DETAILS_NETFILTER:
		known->netfilter.pf = details->val.netfilter.protocol_family;
		known->netfilter.hook = details->val.netfilter.hook;
		known->netfilter.priority = details->val.netfilter.priority;
		known->netfilter.flags = details->val.netfilter.flags;
		return 0;
	case WASM_BPF_BPF_LINKS_LINK_DETAILS_KPROBE_MULTI:
		known->kprobe_multi = asked->kprobe_multi;
		known->kprobe_multi.count = details->val.kprobe_multi.count;
		known->kprobe_multi.flags = details->val.kprobe_multi.flags;
		known->kprobe_multi.missed = details->val.kprobe_multi.missed;
		return give_places(link, asked->kprobe_multi.count, asked->kprobe_multi.addresses, asked->kprobe_multi.cookies, 0,
				   known->kprobe_multi.count);
	case WASM_BPF_BPF_LINKS_LINK_DETAILS_UPROBE_MULTI:
		known->uprobe_multi = asked->uprobe_multi;
		known->uprobe_multi.path_size = details->val.uprobe_multi.path.len + 1;
		known->uprobe_multi.count = details->val.uprobe_multi.count;
		known->uprobe_multi.flags = details->val.uprobe_multi.flags;
		known->uprobe_multi.pid = details->val.uprobe_multi.process;
		err = wb_give_text(asked->uprobe_multi.path, asked->uprobe_multi.path_size, &details->val.uprobe_multi.path);
		return err ? err : give_places(link, asked->uprobe_multi.count, asked->uprobe_multi.offsets, asked->uprobe_multi.cookies,
					       asked->uprobe_multi.semaphores, known->uprobe_multi.count);
	case WASM_BPF_BPF_LINKS_LINK_DETAILS_TRACEPOINT:
		known->perf_event.type = TRACEPOINT;
		known->perf_event.tracepoint.name = asked->perf_event.tracepoint.name;
		known->perf_event.tracepoint.name_size = details->val.tracepoint.name.len + 1;
		known->perf_event.tracepoint.cookie = details->val.tracepoint.cookie;
		return wb_give_text(asked->perf_event.tracepoint.name, asked->perf_event.tracepoint.name_size,
				    &details->val.tracepoint.name);
	case WASM_BPF_BPF_LINKS_LINK_DETAILS_KPROBE:
		known->perf_event.type = details->val.kprobe.is_return ? KRETPROBE : KPROBE;
		known->perf_event.kprobe.function = asked->perf_event.kprobe.function;
		known->perf_event.kprobe.function_size = details->val.kprobe.function.len + 1;
		known->perf_event.kprobe.offset = details->val.kprobe.offset;
		known->perf_event.kprobe.address = details->val.kprobe.address;
		known->perf_event.kprobe.missed = details->val.kprobe.missed;
		known->perf_event.kprobe.cookie = details->val.kprobe.cookie;
		return wb_give_text(asked->perf_event.kprobe.function, asked->perf_event.kprobe.function_size,
				    &details->val.kprobe.function);
	case WASM_BPF_BPF_LINKS_LINK_DETAILS_UPROBE:
		known->perf_event.type = details->val.uprobe.is_return ? URETPROBE : UPROBE;
		known->perf_event.uprobe.path = asked->perf_event.uprobe.path;
		known->perf_event.uprobe.path_size = details->val.uprobe.path.len + 1;
		known->perf_event.uprobe.offset = details->val.uprobe.offset;
		known->perf_event.uprobe.cookie = details->val.uprobe.cookie;
		known->perf_event.uprobe.semaphore = details->val.uprobe.semaphore_offset;
		return wb_give_text(asked->perf_event.uprobe.path, asked->perf_event.uprobe.path_size, &details->val.uprobe.path);
	case WASM_BPF_BPF_LINKS_LINK_DETAILS_EVENT:
		known->perf_event.type = EVENT;
		known->perf_event.event.type = details->val.event.type;
		known->perf_event.event.config = details->val.event.config;
		known->perf_event.event.cookie = details->val.event.cookie;
		return 0;
	}
	// The kernel did not say.
	return 0;
}

int bpf_link_get_info_by_fd(int fd, struct bpf_link_info *info, __u32 *length)
{
	wasm_bpf_bpf_links_borrow_link_t link;
	wasm_bpf_bpf_links_option_link_info_t told;
	wasm_bpf_bpf_links_error_code_t error;
	struct known asked = {}, known = {};
	int err;

	if (!wb_link_of(fd, &link))
		return wb_refuse(EBADF, "%d is no descriptor of a link", fd);
	memcpy(&asked, info, *length < sizeof(asked) ? *length : sizeof(asked));
	WB_CALL;
	if (!wasm_bpf_bpf_links_method_link_info(link, &told, &error))
		return wb_fail_code(&error);
	if (!told.is_some)
		return wb_refuse(EINVAL, "the kernel has no link behind the descriptor %d: it cannot tell of it", fd);
	// In the kernel's order.
	known.type = told.val.type.tag == WASM_BPF_BPF_LINKS_LINK_TYPE_OTHER ? told.val.type.val.other : told.val.type.tag + 1u;
	known.id = told.val.id;
	known.prog_id = told.val.program_id;
	err = give_details(link, &known, &asked, &told.val.details);
	wasm_bpf_bpf_links_option_link_info_free(&told);
	return err ? err : wb_give(info, length, &known, sizeof(known));
}
