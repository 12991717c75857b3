// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is known of a descriptor, in the kernel's structs.
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "errors.h"
#include "globals.h"
#include "map_handle.h"
#include "object.h"
#include "types.h"

// Gives as much of the struct as the caller has room for; what it has beyond must be 0, as for the kernel.
static int give(void *info, __u32 *room, const void *known, size_t size)
{
	const unsigned char *bytes = info;

	for (size_t i = size; i < *room; i++) {
		if (bytes[i])
			return wb_refuse(E2BIG, "the struct for what is asked has %u bytes, and not only 0 in those that are not known here", *room);
	}
	if (*room > size)
		*room = size;
	memcpy(info, known, *room);
	return 0;
}

static void copy_name(char name[BPF_OBJ_NAME_LEN], wasm_bpf_string_t *text)
{
	size_t length = text->len < BPF_OBJ_NAME_LEN - 1 ? text->len : BPF_OBJ_NAME_LEN - 1;

	memcpy(name, text->ptr, length);
	name[length] = 0;
	wasm_bpf_string_free(text);
}

int bpf_map_get_info_by_fd(int fd, struct bpf_map_info *info, __u32 *length)
{
	const struct wb_map *map = wb_map_at(fd);
	wasm_bpf_bpf_maps_map_info_t told;
	struct bpf_map_info known = {};

	if (!map)
		return -errno;
	WB_CALL;
	wasm_bpf_bpf_maps_method_map_info(map->handle, &told);
	known.type = map->type;
	known.id = told.id;
	known.key_size = told.key_size;
	known.value_size = told.value_size;
	known.max_entries = told.max_entries;
	known.map_flags = told.flags;
	known.map_extra = told.extra;
	copy_name(known.name, &told.name);
	return give(info, length, &known, sizeof(known));
}

// The ids go to the caller's array, as far as it has room; how many there are is told in any case.
static void give_map_ids(struct bpf_prog_info *known, const struct bpf_prog_info *asked, __u32 length, wasm_bpf_list_u32_t *ids)
{
	__u32 room = length >= offsetof(struct bpf_prog_info, map_ids) + sizeof(asked->map_ids) ? asked->nr_map_ids : 0;
	__u32 *array = room ? (__u32 *)(uintptr_t)asked->map_ids : NULL;

	known->nr_map_ids = ids->len;
	known->map_ids = (uintptr_t)array;
	if (array)
		memcpy(array, ids->ptr, (room < ids->len ? room : ids->len) * sizeof(*array));
}

int bpf_prog_get_info_by_fd(int fd, struct bpf_prog_info *info, __u32 *length)
{
	wasm_bpf_bpf_programs_borrow_program_t program;
	wasm_bpf_bpf_programs_program_info_t told;
	wasm_bpf_bpf_programs_program_statistics_t statistics;
	wasm_bpf_bpf_programs_error_code_t error;
	struct bpf_prog_info known = {};

	if (!wb_program_of(fd, &program))
		return wb_refuse(EBADF, "%d is no descriptor of a program", fd);
	WB_CALL;
	if (!wasm_bpf_bpf_programs_method_program_info(program, &told, &error))
		return wb_fail_code(&error);
	known.type = wb_program_type_number(&told.type);
	known.id = told.id;
	memcpy(known.tag, &told.tag, sizeof(known.tag));
	known.xlated_prog_len = told.instructions * sizeof(struct bpf_insn);
	known.jited_prog_len = told.jited_size;
	known.load_time = told.load_time;
	known.created_by_uid = told.created_by_uid;
	known.ifindex = told.interface_index;
	known.gpl_compatible = told.gpl_compatible;
	known.btf_id = told.btf_id;
	known.verified_insns = told.verified_instructions;
	known.attach_btf_obj_id = told.attach_btf_object_id;
	known.attach_btf_id = told.attach_btf_id;
	give_map_ids(&known, info, *length, &told.map_ids);
	copy_name(known.name, &told.name);
	wasm_bpf_string_free(&told.section);
	wasm_bpf_list_u32_free(&told.map_ids);
	if (wasm_bpf_bpf_programs_method_program_statistics(program, &statistics, &error)) {
		known.run_cnt = statistics.run_count;
		known.run_time_ns = statistics.run_time_ns;
		known.recursion_misses = statistics.recursion_misses;
	}
	return give(info, length, &known, sizeof(known));
}

// A text goes to the caller's buffer, whose address and size are in the struct.
static void give_text(__u64 buffer, __u32 room, const wasm_bpf_string_t *text)
{
	char *to = (char *)(uintptr_t)buffer;
	size_t length;

	if (!to || !room)
		return;
	length = text->len < room - 1 ? text->len : room - 1;
	memcpy(to, text->ptr, length);
	to[length] = 0;
}

static void give_details(struct bpf_link_info *known, const struct bpf_link_info *asked, wasm_bpf_bpf_links_link_details_t *details)
{
	switch (details->tag) {
	case WASM_BPF_BPF_LINKS_LINK_DETAILS_RAW_TRACEPOINT:
		known->raw_tracepoint.tp_name = asked->raw_tracepoint.tp_name;
		known->raw_tracepoint.tp_name_len = details->val.raw_tracepoint.name.len + 1;
		give_text(asked->raw_tracepoint.tp_name, asked->raw_tracepoint.tp_name_len, &details->val.raw_tracepoint.name);
		break;
	case WASM_BPF_BPF_LINKS_LINK_DETAILS_TRACING:
		known->tracing.attach_type = details->val.tracing.attach_type;
		known->tracing.target_obj_id = details->val.tracing.target_object_id;
		known->tracing.target_btf_id = details->val.tracing.target_btf_id;
		break;
	case WASM_BPF_BPF_LINKS_LINK_DETAILS_CGROUP:
		known->cgroup.cgroup_id = details->val.cgroup.cgroup_id;
		known->cgroup.attach_type = details->val.cgroup.attach_type;
		break;
	case WASM_BPF_BPF_LINKS_LINK_DETAILS_ITER:
		known->iter.target_name = asked->iter.target_name;
		known->iter.target_name_len = details->val.iter.target.len + 1;
		give_text(asked->iter.target_name, asked->iter.target_name_len, &details->val.iter.target);
		break;
	case WASM_BPF_BPF_LINKS_LINK_DETAILS_NETNS:
		known->netns.netns_ino = details->val.netns.inode;
		known->netns.attach_type = details->val.netns.attach_type;
		break;
	case WASM_BPF_BPF_LINKS_LINK_DETAILS_XDP:
		known->xdp.ifindex = details->val.xdp.interface_index;
		break;
	default:
		// Others have no place in the oldest of the kernel's headers that this compiles with.
		break;
	}
}

int bpf_link_get_info_by_fd(int fd, struct bpf_link_info *info, __u32 *length)
{
	wasm_bpf_bpf_links_borrow_link_t link;
	wasm_bpf_bpf_links_option_link_info_t told;
	wasm_bpf_bpf_links_error_code_t error;
	struct bpf_link_info asked = {}, known = {};

	if (!wb_link_of(fd, &link))
		return wb_refuse(EBADF, "%d is no descriptor of a link", fd);
	memcpy(&asked, info, *length < sizeof(asked) ? *length : sizeof(asked));
	WB_CALL;
	if (!wasm_bpf_bpf_links_method_link_info(link, &told, &error))
		return wb_fail_code(&error);
	if (!told.is_some)
		return wb_refuse(EINVAL, "the kernel has no link behind the descriptor %d: it cannot tell of it", fd);
	known.type = told.val.type.tag == WASM_BPF_BPF_LINKS_LINK_TYPE_OTHER ? told.val.type.val.other : told.val.type.tag + 1u;
	known.id = told.val.id;
	known.prog_id = told.val.program_id;
	give_details(&known, &asked, &told.val.details);
	wasm_bpf_bpf_links_option_link_info_free(&told);
	return give(info, length, &known, sizeof(known));
}

int bpf_obj_get_info_by_fd(int fd, void *info, __u32 *length)
{
	const struct wb_operations *operations = NULL;

	wb_descriptor_any(fd, &operations);
	switch (operations ? operations->kind : WB_FREE) {
	case WB_MAP:
		return bpf_map_get_info_by_fd(fd, info, length);
	case WB_PROGRAM:
		return bpf_prog_get_info_by_fd(fd, info, length);
	case WB_LINK:
		return bpf_link_get_info_by_fd(fd, info, length);
	default:
		return wb_refuse(EBADF, "%d is no descriptor of a map, a program or a link", fd);
	}
}
