// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "attach/attachments.h"
#include "attach/numbers.h"
#include "descriptors.h"
#include "paths.h"

// What this program attached. target[] is the index of a network interface, the id of a map, or what WASI knows a cgroup by; zero for the
// network namespace of the host.
static struct wb_attachment *attached;

enum place { PLACE_CGROUP, PLACE_MAP, PLACE_NETNS, PLACE_INTERFACE };

// What is asked for.
struct asked {
	struct wb_attaching it;
	enum place place;
	int target;
	uint64_t key[2];
	wasi_filesystem_types_own_descriptor_t cgroup; // of PLACE_CGROUP
	wasm_bpf_bpf_maps_borrow_map_t map;            // of PLACE_MAP
};

static int place_of(int type)
{
	switch (type) {
	case BPF_SK_SKB_STREAM_PARSER:
	case BPF_SK_SKB_STREAM_VERDICT:
	case BPF_SK_SKB_VERDICT:
	case BPF_SK_MSG_VERDICT:
		return PLACE_MAP;
	case BPF_FLOW_DISSECTOR:
		return PLACE_NETNS;
	case WB_TYPE_TCX_INGRESS:
	case WB_TYPE_TCX_EGRESS:
	case WB_TYPE_NETKIT_PRIMARY:
	case WB_TYPE_NETKIT_PEER:
		return PLACE_INTERFACE;
	case BPF_LIRC_MODE2:
		return wb_refuse(EOPNOTSUPP, "the host does not attach to infrared receivers");
	case BPF_CGROUP_INET_INGRESS ... BPF_CGROUP_SOCK_OPS:
	case BPF_CGROUP_DEVICE:
	case BPF_CGROUP_INET4_BIND ... BPF_CGROUP_UDP6_SENDMSG:
	case BPF_CGROUP_SYSCTL ... BPF_CGROUP_SETSOCKOPT:
	case BPF_CGROUP_INET4_GETPEERNAME ... BPF_CGROUP_INET6_GETSOCKNAME:
	case BPF_CGROUP_INET_SOCK_RELEASE:
	case BPF_LSM_CGROUP:
	case WB_TYPE_CGROUP_UNIX_FIRST ... WB_TYPE_CGROUP_UNIX_LAST:
		return PLACE_CGROUP;
	}
	return wb_refuse(EINVAL, "attach type %d needs a link", type);
}

static int set_cgroup(struct asked *asked)
{
	wasi_filesystem_types_metadata_hash_value_t hash;
	wasi_filesystem_types_error_code_t code;
	int result = wb_open_path_of(asked->target, &asked->cgroup);

	if (result < 0)
		return result;
	if (!wasi_filesystem_types_method_descriptor_metadata_hash(wasi_filesystem_types_borrow_descriptor(asked->cgroup), &hash, &code)) {
		wasi_filesystem_types_descriptor_drop_own(asked->cgroup);
		return wb_refuse(-wb_file_error(code), "the cgroup %d cannot be looked at", asked->target);
	}
	asked->key[0] = hash.lower;
	asked->key[1] = hash.upper;
	return 0;
}

static int set_map(struct asked *asked)
{
	wasm_bpf_bpf_maps_map_info_t info;

	if (!wb_map_of(asked->target, &asked->map))
		return wb_refuse(errno, "%d is no map", asked->target);
	wasm_bpf_bpf_maps_method_map_info(asked->map, &info);
	asked->key[0] = info.id;
	wasm_bpf_bpf_maps_map_info_free(&info);
	return 0;
}

// Where it goes; what was opened for that is closed by end().
static int begin(struct asked *asked, int target, int type)
{
	int place = place_of(type);

	if (place < 0)
		return place;
	*asked = (struct asked){ .place = place, .target = target };
	asked->it.type = type;
	switch (asked->place) {
	case PLACE_CGROUP:
		return set_cgroup(asked);
	case PLACE_MAP:
		return set_map(asked);
	case PLACE_NETNS:
		return target ? wb_refuse(EINVAL, "a flow dissector without a link is attached to the host's network namespace, which is 0")
			: 0;
	case PLACE_INTERFACE:
		asked->key[0] = target;
		return target > 0 ? 0 : wb_refuse(ENODEV, "there is no network interface %d", target);
	}
	return 0;
}

static void end(struct asked *asked)
{
	if (asked->place == PLACE_CGROUP)
		wasi_filesystem_types_descriptor_drop_own(asked->cgroup);
}

// The first or last that is there, of any program or of one.
static struct wb_attachment *find(const struct asked *asked, int64_t program_id, bool is_first)
{
	struct wb_attachment *it, *found = NULL;

	for (it = attached; it && !(found && is_first); it = it->next) {
		if (it->type == asked->it.type && it->target[0] == asked->key[0] && it->target[1] == asked->key[1] &&
		    (!program_id || it->program_id == program_id))
			found = it;
	}
	return found;
}

static int keep(struct asked *asked, int program_fd, uint32_t flags)
{
	struct wb_attachment *made = wb_attachment_keep(&attached, &asked->it, program_fd);

	if (!made)
		return -errno;
	made->target[0] = asked->key[0];
	made->target[1] = asked->key[1];
	made->flags = flags;
	return 0;
}

// Whom a new program takes the place of: the one that is named, or the only one that can be there.
static int find_old(struct asked *asked, int old_fd, bool is_only, struct wb_attachment **old)
{
	wasm_bpf_bpf_programs_borrow_program_t program;
	int64_t id = 0;

	*old = NULL;
	if (old_fd) {
		if (!wb_program_of(old_fd, &program))
			return wb_refuse(errno, "the program to replace, %d, is none", old_fd);
		id = wb_program_id(program);
		if (id < 0)
			return id;
	} else if (!is_only) {
		return 0;
	}
	*old = find(asked, id, false);
	if (!*old && old_fd)
		return wb_refuse(ENOENT, "the program to replace, %d, was not attached there by this program", old_fd);
	return 0;
}

static int attach_cgroup(struct asked *asked, int program_fd, uint32_t flags, int old_fd, const struct wb_place *place)
{
	wasm_bpf_bpf_programs_own_cgroup_options_t options;
	wasm_bpf_bpf_programs_borrow_cgroup_options_t setting;
	wasm_bpf_bpf_programs_own_placement_t placement;
	wasm_bpf_bpf_programs_cgroup_sharing_t sharing = WASM_BPF_BPF_PROGRAMS_CGROUP_SHARING_EXCLUSIVE;
	wasm_bpf_bpf_programs_borrow_program_t old_program;
	wasm_bpf_bpf_types_error_t error;
	struct wb_attachment *old;
	int has_place, result;

	if (flags & ~(BPF_F_ALLOW_OVERRIDE | BPF_F_ALLOW_MULTI | BPF_F_REPLACE) ||
		(flags & BPF_F_ALLOW_OVERRIDE && flags & BPF_F_ALLOW_MULTI) ||
	    (flags & BPF_F_REPLACE && !(flags & BPF_F_ALLOW_MULTI)) || !(flags & BPF_F_REPLACE) != !old_fd)
		return wb_refuse(EINVAL, "flags 0x%x: a cgroup is shared in one way, and a program replaced among many, with both given",
			flags);
	if (flags & BPF_F_ALLOW_MULTI)
		sharing = WASM_BPF_BPF_PROGRAMS_CGROUP_SHARING_MULTIPLE;
	else if (flags & BPF_F_ALLOW_OVERRIDE)
		sharing = WASM_BPF_BPF_PROGRAMS_CGROUP_SHARING_OVERRIDABLE;
	result = find_old(asked, old_fd, !(flags & BPF_F_ALLOW_MULTI), &old);
	if (result < 0)
		return result;
	has_place = wb_placement(&asked->it, place, &placement);
	if (has_place < 0)
		return has_place;
	options = wasm_bpf_bpf_programs_constructor_cgroup_options();
	setting = wasm_bpf_bpf_programs_borrow_cgroup_options(options);
	wasm_bpf_bpf_programs_method_cgroup_options_set_attach_type(setting, asked->it.type);
	wasm_bpf_bpf_programs_method_cgroup_options_set_sharing(setting, sharing);
	if (has_place)
		wasm_bpf_bpf_programs_method_cgroup_options_set_placement(setting, wasm_bpf_bpf_programs_borrow_placement(placement));
	if (old && wb_program_of(old->program_fd, &old_program))
		wasm_bpf_bpf_programs_method_cgroup_options_set_replaced(setting, old_program);
	result = wb_attached(&asked->it, wasm_bpf_bpf_programs_method_program_attach_cgroup(
		asked->it.program, wasi_filesystem_types_borrow_descriptor(asked->cgroup), &setting, &asked->it.link, &error), &error);
	wasm_bpf_bpf_programs_cgroup_options_drop_own(options);
	if (has_place)
		wasm_bpf_bpf_programs_placement_drop_own(placement);
	if (result < 0)
		return result;
	// Its program is not there any more: the host finds nothing to detach.
	if (old)
		wb_attachment_drop(&attached, old);
	return keep(asked, program_fd, flags & ~BPF_F_REPLACE);
}

static int attach_new(struct asked *asked, const struct wb_place *place)
{
	wasm_bpf_bpf_types_error_t error;

	switch (asked->place) {
	case PLACE_MAP:
		return wb_attach_sockmap(&asked->it, asked->target);
	case PLACE_NETNS:
		return wb_attached(&asked->it, wasm_bpf_bpf_programs_method_program_attach_netns(asked->it.program, NULL, &asked->it.link,
			&error), &error);
	default:
		if ((int)asked->it.type == WB_TYPE_TCX_INGRESS || (int)asked->it.type == WB_TYPE_TCX_EGRESS)
			return wb_attach_tcx(&asked->it, asked->target, place);
		return wb_attach_netkit(&asked->it, asked->target, place);
	}
}

// To what has links in the kernel: another program takes the place in the link.
static int attach_by_link(struct asked *asked, int program_fd, uint32_t flags, int old_fd, const struct wb_place *place)
{
	bool is_interface = asked->place == PLACE_INTERFACE;
	struct wb_attachment *old;
	int result;

	if (flags & ~(is_interface ? BPF_F_REPLACE : 0) || (is_interface && !flags != !old_fd) ||
	    (!is_interface && (old_fd || place->flags || place->relative_fd || place->relative_id || place->expected_revision)))
		return wb_refuse(EINVAL, "flags 0x%x, or a program to replace or beside, say nothing for attach type %d", flags,
			asked->it.type);
	result = find_old(asked, old_fd, !is_interface, &old);
	if (result < 0)
		return result;
	if (old) {
		result = wb_attachment_exchange(old, &asked->it, program_fd);
		// Before 6.10 a map of sockets has no link; there the kernel itself puts the new one into the place of the old one.
		if (result != -EOPNOTSUPP || asked->place != PLACE_MAP)
			return result;
	}
	result = attach_new(asked, place);
	if (result < 0)
		return result;
	if (old)
		wb_attachment_drop(&attached, old);
	return keep(asked, program_fd, 0);
}

int bpf_prog_attach_opts(int prog_fd, int target, enum bpf_attach_type type, const struct bpf_prog_attach_opts *opts)
{
	WB_CALL;
	uint32_t flags = WB_OPTION(opts, flags, 0);
	int old_fd = WB_OPTION(opts, replace_prog_fd, 0), result;
	struct wb_place place = {
		flags & WB_PLACE_FLAGS, WB_OPTION(opts, relative_fd, 0), WB_OPTION(opts, relative_id, 0),
		WB_OPTION(opts, expected_revision, 0),
	};
	struct asked asked;

	if (!WB_OPTIONS_VALID(opts, bpf_prog_attach_opts))
		return -EINVAL;
	result = begin(&asked, target, type);
	if (result < 0)
		return result;
	flags &= ~WB_PLACE_FLAGS;
	if (!wb_attaching_fd(&asked.it, prog_fd, type))
		result = -errno;
	else if (asked.place == PLACE_CGROUP)
		result = attach_cgroup(&asked, prog_fd, flags, old_fd, &place);
	else
		result = attach_by_link(&asked, prog_fd, flags, old_fd, &place);
	end(&asked);
	return result;
}

int bpf_prog_attach(int prog_fd, int attachable_fd, enum bpf_attach_type type, unsigned int flags)
{
	LIBBPF_OPTS(bpf_prog_attach_opts, opts, .flags = flags);

	return bpf_prog_attach_opts(prog_fd, attachable_fd, type, &opts);
}

static int detach(struct asked *asked, int prog_fd, bool is_first)
{
	wasm_bpf_bpf_programs_borrow_program_t program;
	struct wb_attachment *found;
	int64_t id = 0;

	if (prog_fd) {
		if (!wb_program_of(prog_fd, &program))
			return -errno;
		id = wb_program_id(program);
		if (id < 0)
			return id;
	}
	found = find(asked, id, is_first);
	if (!found)
		return wb_refuse(ENOENT, "this program attached no such program there; what others attached stays");
	if (!prog_fd && found->flags & BPF_F_ALLOW_MULTI)
		return wb_refuse(EINVAL, "where there are many programs, the one to detach has to be named");
	wb_attachment_drop(&attached, found);
	return 0;
}

int bpf_prog_detach_opts(int prog_fd, int target, enum bpf_attach_type type, const struct bpf_prog_detach_opts *opts)
{
	WB_CALL;
	uint32_t flags = WB_OPTION(opts, flags, 0);
	struct asked asked;
	int result;

	if (!WB_OPTIONS_VALID(opts, bpf_prog_detach_opts))
		return -EINVAL;
	if (WB_OPTION(opts, relative_fd, 0) || WB_OPTION(opts, relative_id, 0) || WB_OPTION(opts, expected_revision, 0))
		return wb_refuse(ENOTSUP, "the host does not detach by a neighbour or a revision; name the program");
	if (flags & ~(WB_F_BEFORE | WB_F_AFTER) || flags == (WB_F_BEFORE | WB_F_AFTER))
		return wb_refuse(EINVAL, "flags 0x%x: the first (BPF_F_BEFORE) or the last (BPF_F_AFTER) is detached, or a program that is "
			"named", flags);
	result = begin(&asked, target, type);
	if (result < 0)
		return result;
	result = detach(&asked, prog_fd, flags & WB_F_BEFORE);
	end(&asked);
	return result;
}

int bpf_prog_detach(int attachable_fd, enum bpf_attach_type type)
{
	return bpf_prog_detach_opts(0, attachable_fd, type, NULL);
}

int bpf_prog_detach2(int prog_fd, int attachable_fd, enum bpf_attach_type type)
{
	return bpf_prog_detach_opts(prog_fd, attachable_fd, type, NULL);
}
