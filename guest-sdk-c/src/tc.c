// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <stdlib.h>

#include "attach/attachments.h"
#include "descriptors.h"

// Filters that this program attached: target[0] is the interface, the type its side.
static struct wb_attachment *filters;

// Interfaces on which this program made the hook: nothing of it is in the kernel until the first filter.
struct made_hook {
	struct made_hook *next;
	int ifindex;
};
static struct made_hook *hooks;

static struct made_hook *find_hook(int ifindex)
{
	struct made_hook *hook = hooks;

	while (hook && hook->ifindex != ifindex)
		hook = hook->next;
	return hook;
}

static struct wb_attachment *find(int ifindex, wasm_bpf_bpf_programs_direction_t side, uint32_t handle, uint32_t priority)
{
	struct wb_attachment *filter;

	for (filter = filters; filter; filter = filter->next) {
		if (filter->target[0] == (uint64_t)ifindex && filter->type == side && filter->handle == handle &&
			filter->priority == priority)
			return filter;
	}
	return NULL;
}

// Detaches all of an interface, at one side or, with a negative one, at both; how many.
static int detach_all(int ifindex, int side)
{
	struct wb_attachment *filter, *next;
	int count = 0;

	for (filter = filters; filter; filter = next) {
		next = filter->next;
		if (filter->target[0] != (uint64_t)ifindex || (side >= 0 && filter->type != (uint32_t)side))
			continue;
		wb_attachment_drop(&filters, filter);
		count++;
	}
	return count;
}

static bool is_valid(const struct bpf_tc_hook *hook)
{
	if (!hook) {
		wb_refuse(EINVAL, "no hook of traffic control is given");
		return false;
	}
	if (!WB_OPTIONS_VALID(hook, bpf_tc_hook))
		return false;
	if (WB_OPTION(hook, ifindex, 0) <= 0) {
		wb_refuse(EINVAL, "a hook of traffic control needs a network interface");
		return false;
	}
	return true;
}

// The side of clsact that a hook is.
static int side_of(const struct bpf_tc_hook *hook)
{
	uint32_t parent = WB_OPTION(hook, parent, 0);

	switch ((int)WB_OPTION(hook, attach_point, 0)) {
	case BPF_TC_INGRESS:
	case BPF_TC_EGRESS:
		if (parent)
			return wb_refuse(EINVAL, "a parent goes with BPF_TC_CUSTOM alone");
		return hook->attach_point == BPF_TC_INGRESS ? WASM_BPF_BPF_PROGRAMS_DIRECTION_INGRESS
			: WASM_BPF_BPF_PROGRAMS_DIRECTION_EGRESS;
	case BPF_TC_CUSTOM:
		if (parent == BPF_TC_PARENT(0xffff, 0xfff2))
			return WASM_BPF_BPF_PROGRAMS_DIRECTION_INGRESS;
		if (parent == BPF_TC_PARENT(0xffff, 0xfff3))
			return WASM_BPF_BPF_PROGRAMS_DIRECTION_EGRESS;
		if (parent)
			return wb_refuse(EOPNOTSUPP, "parent %08x: the host attaches to the two sides of clsact only", parent);
		return wb_refuse(EINVAL, "BPF_TC_CUSTOM needs a parent");
	default:
		return wb_refuse(EINVAL, "%d is no attach point of a filter", WB_OPTION(hook, attach_point, 0));
	}
}

int bpf_tc_hook_create(struct bpf_tc_hook *hook)
{
	WB_CALL;
	wasm_bpf_string_t name;
	struct made_hook *made;
	int result;

	if (!is_valid(hook))
		return -EINVAL;
	switch ((int)WB_OPTION(hook, attach_point, 0)) {
	case BPF_TC_INGRESS:
	case BPF_TC_EGRESS:
	case BPF_TC_INGRESS | BPF_TC_EGRESS:
		if (WB_OPTION(hook, parent, 0))
			return wb_refuse(EINVAL, "a parent goes with BPF_TC_CUSTOM alone");
		break;
	case BPF_TC_CUSTOM:
	case BPF_TC_QDISC:
		return wb_refuse(EOPNOTSUPP, "the host makes the qdisc clsact, and no other");
	default:
		return wb_refuse(EINVAL, "%d is no attach point of traffic control", WB_OPTION(hook, attach_point, 0));
	}
	result = wb_interface_name(hook->ifindex, &name);
	if (result < 0)
		return result;
	wasm_bpf_string_free(&name);
	if (find_hook(hook->ifindex)) {
		// Programs ask for it without knowing, as with native libbpf: nothing to warn of.
		errno = EEXIST;
		return -EEXIST;
	}
	made = malloc(sizeof(*made));
	if (!made)
		return wb_no_memory();
	*made = (struct made_hook){ hooks, hook->ifindex };
	hooks = made;
	return 0;
}

int bpf_tc_hook_destroy(struct bpf_tc_hook *hook)
{
	WB_CALL;
	struct made_hook **at = &hooks, *made;
	int count, side;

	if (!is_valid(hook))
		return -EINVAL;
	switch ((int)WB_OPTION(hook, attach_point, 0)) {
	case BPF_TC_INGRESS:
	case BPF_TC_EGRESS:
		side = side_of(hook);
		if (side < 0)
			return side;
		if (!detach_all(hook->ifindex, side) && !find_hook(hook->ifindex))
			return wb_refuse(EINVAL, "this program has no hook on network interface %d; filters of others stay", hook->ifindex);
		return 0;
	case BPF_TC_INGRESS | BPF_TC_EGRESS:
		count = detach_all(hook->ifindex, -1);
		while (*at && (*at)->ifindex != hook->ifindex)
			at = &(*at)->next;
		made = *at;
		if (made) {
			*at = made->next;
			free(made);
		} else if (!count) {
			return wb_refuse(ENOENT, "this program has no hook on network interface %d; filters of others stay", hook->ifindex);
		}
		return 0;
	case BPF_TC_CUSTOM:
	case BPF_TC_QDISC:
		return wb_refuse(EOPNOTSUPP, "the host has the qdisc clsact, and no other");
	default:
		return wb_refuse(EINVAL, "%d is no attach point of traffic control", WB_OPTION(hook, attach_point, 0));
	}
}

// Attaches a filter and keeps it.
static struct wb_attachment *attach(int ifindex, int side, int program_fd, uint32_t priority, uint32_t handle)
{
	struct wb_attaching it;
	struct wb_attachment *filter;
	wasm_bpf_bpf_links_filter_place_t place = { priority, handle };
	wasm_bpf_bpf_types_error_t error;
	wasm_bpf_string_t name;
	int result;

	if (!wb_attaching_fd(&it, program_fd, side))
		return NULL;
	result = wb_interface_name(ifindex, &name);
	if (result < 0)
		return wb_null(result);
	result = wb_attached(&it, wasm_bpf_bpf_programs_method_program_attach_tc(it.program, &name, side, priority, handle, &it.link,
		&error), &error);
	wasm_bpf_string_free(&name);
	if (result < 0)
		return wb_null(result);
	wasm_bpf_bpf_links_method_link_filter_place(wasm_bpf_bpf_links_borrow_link(it.link), &place);
	filter = wb_attachment_keep(&filters, &it, program_fd);
	if (!filter)
		return NULL;
	filter->target[0] = ifindex;
	filter->handle = place.handle;
	filter->priority = place.priority;
	return filter;
}

// A filter cannot be exchanged for another, so the old one goes first; and comes back if the new one cannot be attached.
static struct wb_attachment *replace(struct wb_attachment *old, int ifindex, int side, int program_fd, uint32_t priority, uint32_t handle)
{
	int old_fd = wb_descriptor_duplicate(old->program_fd), number;
	struct wb_attachment *filter;

	if (old_fd < 0)
		return wb_null(old_fd);
	wb_attachment_drop(&filters, old);
	filter = attach(ifindex, side, program_fd, priority, handle);
	number = errno;
	if (!filter && !attach(ifindex, side, old_fd, priority, handle))
		wb_warn("the filter that was to be replaced on network interface %d is gone", ifindex);
	wb_descriptor_close(old_fd);
	errno = number;
	return filter;
}

int bpf_tc_attach(const struct bpf_tc_hook *hook, struct bpf_tc_opts *opts)
{
	WB_CALL;
	uint32_t handle = WB_OPTION(opts, handle, 0), priority = WB_OPTION(opts, priority, 0), flags = WB_OPTION(opts, flags, 0);
	int program_fd = WB_OPTION(opts, prog_fd, 0);
	struct wb_attachment *filter;
	int side;

	if (!is_valid(hook) || !WB_OPTIONS_VALID(opts, bpf_tc_opts))
		return -EINVAL;
	if (!opts || !program_fd || WB_OPTION(opts, prog_id, 0) || priority > UINT16_MAX || flags & ~BPF_TC_F_REPLACE)
		return wb_refuse(EINVAL, "a filter needs a program, no id of one, a priority of 65535 at most, and no flag but "
			"BPF_TC_F_REPLACE");
	side = side_of(hook);
	if (side < 0)
		return side;
	filter = flags && handle && priority ? find(hook->ifindex, side, handle, priority) : NULL;
	if (filter)
		filter = replace(filter, hook->ifindex, side, program_fd, priority, handle);
	else
		filter = attach(hook->ifindex, side, program_fd, priority, handle);
	if (!filter)
		return -errno;
	WB_SET_OPTION(opts, handle, filter->handle);
	WB_SET_OPTION(opts, priority, filter->priority);
	WB_SET_OPTION(opts, prog_id, filter->program_id);
	return 0;
}

// What detaching and querying want to know, and nothing else.
static int place_of(const struct bpf_tc_opts *opts, uint32_t *handle, uint32_t *priority)
{
	if (!WB_OPTIONS_VALID(opts, bpf_tc_opts))
		return -EINVAL;
	*handle = WB_OPTION(opts, handle, 0);
	*priority = WB_OPTION(opts, priority, 0);
	if (!*handle || !*priority || *priority > UINT16_MAX || WB_OPTION(opts, flags, 0) || WB_OPTION(opts, prog_fd, 0) ||
	    WB_OPTION(opts, prog_id, 0))
		return wb_refuse(EINVAL, "a filter is found by its handle and priority; flags, prog_fd and prog_id have to be 0");
	return 0;
}

int bpf_tc_detach(const struct bpf_tc_hook *hook, const struct bpf_tc_opts *opts)
{
	WB_CALL;
	struct wb_attachment *filter;
	uint32_t handle, priority;
	int side, result;

	if (!is_valid(hook))
		return -EINVAL;
	result = place_of(opts, &handle, &priority);
	if (result < 0)
		return result;
	side = side_of(hook);
	if (side < 0)
		return side;
	filter = find(hook->ifindex, side, handle, priority);
	if (!filter)
		return wb_refuse(ENOENT, "this program has no filter with handle %u and priority %u on network interface %d", handle,
			priority, hook->ifindex);
	wb_attachment_drop(&filters, filter);
	return 0;
}

// What is attached by others.
static int query(int ifindex, int side, uint32_t handle, uint32_t priority, uint32_t *program)
{
	wasm_bpf_bpf_query_list_attached_filter_t list;
	wasm_bpf_bpf_types_error_t error;
	wasm_bpf_string_t name;
	int result = wb_interface_name(ifindex, &name);
	bool ok;

	if (result < 0)
		return result;
	ok = wasm_bpf_bpf_query_filters(&name, side, &list, &error);
	wasm_bpf_string_free(&name);
	if (!ok)
		return wb_fail(&error, "query the filters of a network interface");
	*program = 0;
	for (size_t i = 0; i < list.len; i++) {
		if (list.ptr[i].place.handle == handle && list.ptr[i].place.priority == priority)
			*program = list.ptr[i].program;
	}
	wasm_bpf_bpf_query_list_attached_filter_free(&list);
	return *program ? 0 : wb_refuse(ENOENT, "network interface %d has no filter with handle %u and priority %u", ifindex, handle,
		priority);
}

int bpf_tc_query(const struct bpf_tc_hook *hook, struct bpf_tc_opts *opts)
{
	WB_CALL;
	struct wb_attachment *filter;
	uint32_t handle, priority, program;
	int side, result;

	if (!is_valid(hook))
		return -EINVAL;
	result = place_of(opts, &handle, &priority);
	if (result < 0)
		return result;
	side = side_of(hook);
	if (side < 0)
		return side;
	filter = find(hook->ifindex, side, handle, priority);
	if (filter) {
		program = filter->program_id;
	} else {
		result = query(hook->ifindex, side, handle, priority, &program);
		if (result < 0)
			return result;
	}
	WB_SET_OPTION(opts, prog_id, program);
	return 0;
}
