// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <stdio.h>

#include <bpf/bpf.h>

#include "errors.h"
#include "globals.h"
#include "map_handle.h"
#include "object.h"
#include "options.h"
#include "types.h"

int bpf_map_create(enum bpf_map_type type, const char *name, __u32 key_size, __u32 value_size, __u32 max_entries,
		   const struct bpf_map_create_opts *opts)
{
	wasm_bpf_bpf_types_map_type_t wanted = wb_map_type(type);
	wasm_bpf_bpf_maps_borrow_create_options_t options;
	wasm_bpf_bpf_maps_own_create_options_t own;
	char cut[BPF_OBJ_NAME_LEN];
	wasm_bpf_string_t text;
	wasm_bpf_bpf_maps_borrow_map_t inner;
	wasm_bpf_bpf_maps_own_map_t map;
	wasm_bpf_bpf_maps_error_code_t code;
	wasm_bpf_bpf_maps_error_t error;
	__u32 inner_fd = WB_OPTION(opts, inner_map_fd, 0);
	int err = 0;

	if (!WB_OPTIONS_VALID(opts, bpf_map_create_opts))
		return -EINVAL;
	if (WB_OPTION(opts, map_ifindex, 0))
		return wb_refuse(EOPNOTSUPP, "map '%s': maps cannot be offloaded to a device", name ? name : "");
	if (WB_OPTION(opts, token_fd, 0))
		return wb_refuse(EOPNOTSUPP, "map '%s': a guest has no BPF tokens", name ? name : "");
	if (WB_OPTION(opts, btf_vmlinux_value_type_id, 0))
		return wb_refuse(EOPNOTSUPP, "map '%s': struct_ops maps come from objects", name ? name : "");
	if ((type == BPF_MAP_TYPE_ARRAY_OF_MAPS || type == BPF_MAP_TYPE_HASH_OF_MAPS) && !inner_fd)
		return wb_refuse(EINVAL, "map '%s': a map of maps is made with inner_map_fd, a map like those that it will hold", name ? name : "");
	if (inner_fd && !wb_map_of(inner_fd, &inner))
		return wb_refuse(EBADF, "map '%s': %d is no descriptor of a map", name ? name : "", (int)inner_fd);
	// As much of it as the kernel takes.
	snprintf(cut, sizeof(cut), "%s", name ? name : "");
	text = wb_string(cut);
	WB_CALL;
	own = wasm_bpf_bpf_maps_constructor_create_options();
	options = wasm_bpf_bpf_maps_borrow_create_options(own);
	wasm_bpf_bpf_maps_method_create_options_set_flags(options, WB_OPTION(opts, map_flags, 0));
	wasm_bpf_bpf_maps_method_create_options_set_extra(options, WB_OPTION(opts, map_extra, 0));
	if (WB_OPTION(opts, map_flags, 0) & BPF_F_NUMA_NODE)
		wasm_bpf_bpf_maps_method_create_options_set_numa_node(options, WB_OPTION(opts, numa_node, 0));
	if (inner_fd && !wasm_bpf_bpf_maps_method_create_options_set_inner_map(options, inner, &code))
		err = wb_fail_code(&code);
	if (!err && !wasm_bpf_bpf_maps_static_map_create(&text, &wanted, key_size, value_size, max_entries, options, &map, &error))
		err = wb_fail(&error, "create a map");
	wasm_bpf_bpf_maps_create_options_drop_own(own);
	return err ? err : wb_map_descriptor(map);
}
