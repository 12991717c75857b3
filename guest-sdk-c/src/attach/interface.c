// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Network interfaces, which the interface of wasm-bpf names and libbpf numbers.
#include <linux/if_link.h>

#include "attach.h"
#include "numbers.h"

int wb_interface_name(int ifindex, wasm_bpf_string_t *name)
{
	if (ifindex > 0 && wasm_bpf_bpf_features_interface_name(ifindex, name))
		return 0;
	return wb_refuse(ENODEV, "there is no network interface %d", ifindex);
}

int wb_attach_xdp(struct wb_attaching *it, int ifindex, uint32_t flags)
{
	wasm_bpf_bpf_types_error_t error;
	wasm_bpf_string_t name;
	wasm_bpf_bpf_programs_xdp_mode_t mode;
	int result;

	switch (flags) {
	case 0:
		mode = WASM_BPF_BPF_PROGRAMS_XDP_MODE_DEFAULT;
		break;
	case XDP_FLAGS_SKB_MODE:
		mode = WASM_BPF_BPF_PROGRAMS_XDP_MODE_GENERIC;
		break;
	case XDP_FLAGS_DRV_MODE:
		mode = WASM_BPF_BPF_PROGRAMS_XDP_MODE_NATIVE;
		break;
	case XDP_FLAGS_HW_MODE:
		mode = WASM_BPF_BPF_PROGRAMS_XDP_MODE_HARDWARE;
		break;
	default:
		return wb_refuse(EINVAL, "program '%s': flags 0x%x are no mode of XDP", it->name, flags);
	}
	result = wb_interface_name(ifindex, &name);
	if (result < 0)
		return result;
	result = wb_attached(it, wasm_bpf_bpf_programs_method_program_attach_xdp(it->program, &name, mode, &it->link, &error), &error);
	wasm_bpf_string_free(&name);
	return result;
}

struct bpf_link *bpf_program__attach_xdp(const struct bpf_program *prog, int ifindex)
{
	WB_CALL;
	struct wb_attaching it;

	if (!wb_attaching(&it, prog))
		return NULL;
	return wb_attach_link(&it, wb_attach_xdp(&it, ifindex, 0));
}

// A program's place, and the name of where.
static int begin(struct wb_attaching *it, int ifindex, const struct wb_place *place, wasm_bpf_string_t *name,
		 wasm_bpf_bpf_programs_own_placement_t *placement)
{
	int result = wb_interface_name(ifindex, name);

	if (result < 0)
		return result;
	result = wb_placement(it, place, placement);
	if (result < 0)
		wasm_bpf_string_free(name);
	return result;
}

int wb_attach_tcx(struct wb_attaching *it, int ifindex, const struct wb_place *place)
{
	wasm_bpf_bpf_types_error_t error;
	wasm_bpf_string_t name;
	wasm_bpf_bpf_programs_own_placement_t placement;
	wasm_bpf_bpf_programs_borrow_placement_t borrowed;
	wasm_bpf_bpf_programs_direction_t direction;
	int has_place, result;

	if ((int)it->type == WB_TYPE_TCX_INGRESS)
		direction = WASM_BPF_BPF_PROGRAMS_DIRECTION_INGRESS;
	else if ((int)it->type == WB_TYPE_TCX_EGRESS)
		direction = WASM_BPF_BPF_PROGRAMS_DIRECTION_EGRESS;
	else
		return wb_refuse(EINVAL, "program '%s': its section, tcx/ingress or tcx/egress, has to say where tcx attaches it",
			it->name);
	has_place = begin(it, ifindex, place, &name, &placement);
	if (has_place < 0)
		return has_place;
	if (has_place)
		borrowed = wasm_bpf_bpf_programs_borrow_placement(placement);
	result = wb_attached(it, wasm_bpf_bpf_programs_method_program_attach_tcx(
		it->program, &name, direction, has_place ? &borrowed : NULL, &it->link, &error), &error);
	if (has_place)
		wasm_bpf_bpf_programs_placement_drop_own(placement);
	wasm_bpf_string_free(&name);
	return result;
}

int wb_attach_netkit(struct wb_attaching *it, int ifindex, const struct wb_place *place)
{
	wasm_bpf_bpf_types_error_t error;
	wasm_bpf_string_t name;
	wasm_bpf_bpf_programs_own_placement_t placement;
	wasm_bpf_bpf_programs_borrow_placement_t borrowed;
	int has_place, result;

	if ((int)it->type != WB_TYPE_NETKIT_PRIMARY && (int)it->type != WB_TYPE_NETKIT_PEER)
		return wb_refuse(EINVAL, "program '%s': its section, netkit/primary or netkit/peer, has to say where netkit attaches it",
			it->name);
	has_place = begin(it, ifindex, place, &name, &placement);
	if (has_place < 0)
		return has_place;
	if (has_place)
		borrowed = wasm_bpf_bpf_programs_borrow_placement(placement);
	result = wb_attached(it, wasm_bpf_bpf_programs_method_program_attach_netkit(
		it->program, &name, (int)it->type == WB_TYPE_NETKIT_PEER, has_place ? &borrowed : NULL, &it->link, &error), &error);
	if (has_place)
		wasm_bpf_bpf_programs_placement_drop_own(placement);
	wasm_bpf_string_free(&name);
	return result;
}

struct bpf_link *bpf_program__attach_tcx(const struct bpf_program *prog, int ifindex, const struct bpf_tcx_opts *opts)
{
	WB_CALL;
	struct wb_attaching it;
	struct wb_place place = {
		WB_OPTION(opts, flags, 0), WB_OPTION(opts, relative_fd, 0), WB_OPTION(opts, relative_id, 0),
		WB_OPTION(opts, expected_revision, 0),
	};

	if (!WB_OPTIONS_VALID(opts, bpf_tcx_opts))
		return wb_null(-EINVAL);
	if (!ifindex)
		return wb_null(wb_refuse(EINVAL, "program '%s': 0 is no network interface", prog->name));
	if (!wb_attaching(&it, prog))
		return NULL;
	return wb_attach_link(&it, wb_attach_tcx(&it, ifindex, &place));
}

struct bpf_link *bpf_program__attach_netkit(const struct bpf_program *prog, int ifindex, const struct bpf_netkit_opts *opts)
{
	WB_CALL;
	struct wb_attaching it;
	struct wb_place place = {
		WB_OPTION(opts, flags, 0), WB_OPTION(opts, relative_fd, 0), WB_OPTION(opts, relative_id, 0),
		WB_OPTION(opts, expected_revision, 0),
	};

	if (!WB_OPTIONS_VALID(opts, bpf_netkit_opts))
		return wb_null(-EINVAL);
	if (!ifindex)
		return wb_null(wb_refuse(EINVAL, "program '%s': 0 is no network interface", prog->name));
	if (!wb_attaching(&it, prog))
		return NULL;
	return wb_attach_link(&it, wb_attach_netkit(&it, ifindex, &place));
}
