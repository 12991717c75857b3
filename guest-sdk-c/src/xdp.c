// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <linux/if_link.h>

#include "attach/attachments.h"
#include "descriptors.h"

#define MODES (XDP_FLAGS_SKB_MODE | XDP_FLAGS_DRV_MODE | XDP_FLAGS_HW_MODE)

// What this program attached: target[0] is the interface, the flags its mode as it was asked for.
static struct wb_attachment *attached;

// With no mode the kernel means the driver's or, without that, the network stack's.
static struct wb_attachment *find(int ifindex, uint32_t mode)
{
	struct wb_attachment *it;

	for (it = attached; it; it = it->next) {
		if (it->target[0] == (uint64_t)ifindex && (it->flags == mode || (!mode && it->flags != XDP_FLAGS_HW_MODE)))
			return it;
	}
	return NULL;
}

static int mode_of(uint32_t flags, uint32_t *mode)
{
	*mode = flags & MODES;
	if (flags & ~(MODES | XDP_FLAGS_UPDATE_IF_NOEXIST | XDP_FLAGS_REPLACE) || *mode & (*mode - 1))
		return wb_refuse(EINVAL, "flags 0x%x: XDP has one mode at a time, and no such flag", flags);
	return 0;
}

static int query(int ifindex, wasm_bpf_bpf_query_xdp_programs_t *programs, wasm_bpf_bpf_types_error_t *error)
{
	wasm_bpf_string_t name;
	int result = wb_interface_name(ifindex, &name);
	bool ok;

	if (result < 0)
		return result;
	ok = wasm_bpf_bpf_query_xdp(&name, programs, error);
	wasm_bpf_string_free(&name);
	return ok ? 1 : 0;
}

// Nothing of this program is there: no matter if nothing of others is.
static int detach_nothing(int ifindex, uint32_t mode)
{
	wasm_bpf_bpf_query_xdp_programs_t programs;
	wasm_bpf_bpf_types_error_t error;
	uint32_t other;
	int result = query(ifindex, &programs, &error);

	if (result < 0)
		return result;
	if (!result) {
		wb_fail_silently(&error);
		wb_warn("this program attached no XDP program to network interface %d, and what others attached stays", ifindex);
		return 0;
	}
	other = mode == XDP_FLAGS_HW_MODE ? programs.offloaded : mode == XDP_FLAGS_SKB_MODE ? programs.generic : programs.native;
	if (!mode && !other)
		other = programs.generic;
	return other ? wb_refuse(EBUSY, "the XDP program %u of network interface %d is not of this program", other, ifindex) : 0;
}

// Only if what is expected is attached: a program, or with -1 none.
static int demand(const struct wb_attachment *old, int ifindex, int expected_fd)
{
	wasm_bpf_bpf_programs_borrow_program_t expected;
	int64_t id;

	if (expected_fd < 0)
		return old ? wb_refuse(EEXIST, "network interface %d has an XDP program already", ifindex) : 0;
	if (!wb_program_of(expected_fd, &expected))
		return -errno;
	id = wb_program_id(expected);
	if (id < 0)
		return id;
	if (!old || old->program_id != id)
		return wb_refuse(EEXIST, "the XDP program of network interface %d is not the expected one, or not of this program",
			ifindex);
	return 0;
}

int bpf_xdp_attach(int ifindex, int prog_fd, __u32 flags, const struct bpf_xdp_attach_opts *opts)
{
	WB_CALL;
	struct wb_attachment *old, *made;
	struct wb_attaching it;
	int expected_fd = WB_OPTION(opts, old_prog_fd, 0), result;
	uint32_t mode;

	if (!WB_OPTIONS_VALID(opts, bpf_xdp_attach_opts))
		return -EINVAL;
	result = mode_of(flags, &mode);
	if (result < 0)
		return result;
	old = find(ifindex, mode);
	if (expected_fd || flags & XDP_FLAGS_REPLACE) {
		result = demand(old, ifindex, expected_fd ? expected_fd : -1);
		if (result < 0)
			return result;
	}
	if (prog_fd < 0) {
		if (!old)
			return detach_nothing(ifindex, mode);
		wb_attachment_drop(&attached, old);
		return 0;
	}
	if (old && flags & XDP_FLAGS_UPDATE_IF_NOEXIST)
		return wb_refuse(EBUSY, "network interface %d has an XDP program already", ifindex);
	if (!wb_attaching_fd(&it, prog_fd, BPF_XDP))
		return -errno;
	if (old)
		return wb_attachment_exchange(old, &it, prog_fd);
	result = wb_attach_xdp(&it, ifindex, mode);
	if (result < 0)
		return result;
	made = wb_attachment_keep(&attached, &it, prog_fd);
	if (!made)
		return -errno;
	made->target[0] = ifindex;
	made->flags = mode;
	return 0;
}

int bpf_xdp_detach(int ifindex, __u32 flags, const struct bpf_xdp_attach_opts *opts)
{
	return bpf_xdp_attach(ifindex, -1, flags, opts);
}

int bpf_xdp_query(int ifindex, int flags, struct bpf_xdp_query_opts *opts)
{
	WB_CALL;
	wasm_bpf_bpf_query_xdp_programs_t programs;
	wasm_bpf_bpf_types_error_t error;
	uint32_t mode, one = 0;
	uint8_t attach_mode = XDP_ATTACHED_NONE;
	int result;

	if (!WB_OPTIONS_VALID(opts, bpf_xdp_query_opts))
		return -EINVAL;
	result = mode_of(flags, &mode);
	if (result < 0)
		return result;
	result = query(ifindex, &programs, &error);
	if (result < 0)
		return result;
	if (!result)
		return wb_fail(&error, "query the XDP programs of a network interface");
	if (!!programs.native + !!programs.generic + !!programs.offloaded > 1)
		attach_mode = XDP_ATTACHED_MULTI;
	else if (programs.native)
		attach_mode = XDP_ATTACHED_DRV;
	else if (programs.generic)
		attach_mode = XDP_ATTACHED_SKB;
	else if (programs.offloaded)
		attach_mode = XDP_ATTACHED_HW;
	if (attach_mode != XDP_ATTACHED_MULTI)
		one = programs.native | programs.generic | programs.offloaded;
	WB_SET_OPTION(opts, prog_id, one);
	WB_SET_OPTION(opts, drv_prog_id, programs.native);
	WB_SET_OPTION(opts, skb_prog_id, programs.generic);
	WB_SET_OPTION(opts, hw_prog_id, programs.offloaded);
	WB_SET_OPTION(opts, attach_mode, attach_mode);
	WB_SET_OPTION(opts, feature_flags, 0);
	WB_SET_OPTION(opts, xdp_zc_max_segs, 0);
	return 0;
}

int bpf_xdp_query_id(int ifindex, int flags, __u32 *prog_id)
{
	WB_CALL;
	LIBBPF_OPTS(bpf_xdp_query_opts, opts);
	struct wb_attachment *own;
	uint32_t mode;
	int result = mode_of(flags, &mode);

	if (result < 0)
		return result;
	own = find(ifindex, mode);
	// No program of others can be in the place of one that a link holds; beside it may be one in another mode.
	if (own && (mode || !find(ifindex, XDP_FLAGS_HW_MODE))) {
		*prog_id = own->program_id;
		return 0;
	}
	result = bpf_xdp_query(ifindex, flags, &opts);
	if (result < 0)
		return result;
	if (mode == XDP_FLAGS_DRV_MODE)
		*prog_id = opts.drv_prog_id;
	else if (mode == XDP_FLAGS_HW_MODE)
		*prog_id = opts.hw_prog_id;
	else if (mode == XDP_FLAGS_SKB_MODE)
		*prog_id = opts.skb_prog_id;
	else
		*prog_id = opts.prog_id;
	return 0;
}
