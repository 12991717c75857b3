// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <stdlib.h>
#include <string.h>

#include "../descriptors.h"
#include "../paths.h"
#include "attach.h"

// What an iterator goes through, such as "task", in memory of its own: its section says so, or the function of the kernel that it was
// loaded for.
static int target_of(const struct wb_attaching *it, char **target)
{
	static const char prefix[] = "bpf_iter_";
	wasm_bpf_bpf_programs_program_info_t info;
	wasm_bpf_bpf_types_error_code_t code;
	wasm_bpf_bpf_types_error_t error;
	wasm_bpf_bpf_btf_own_btf_t btf;
	wasm_bpf_bpf_btf_type_info_t type;
	wasm_bpf_string_t text;
	uint32_t function;
	char *section, *slash;
	bool is_known;

	if (!wasm_bpf_bpf_programs_method_program_info(it->program, &info, &code))
		return wb_fail_code(&code);
	function = info.attach_btf_id;
	section = wb_take_string(&info.section);
	info.section = (wasm_bpf_string_t){ 0 };
	wasm_bpf_bpf_programs_program_info_free(&info);
	slash = section ? strchr(section, '/') : NULL;
	if (slash && slash[1] && !strncmp(section, "iter", 4)) {
		memmove(section, slash + 1, strlen(slash + 1) + 1);
		*target = section;
		return 0;
	}
	free(section);
	if (!wasm_bpf_bpf_btf_static_btf_kernel(&btf, &error))
		return wb_fail(&error, "read the kernel's BTF");
	is_known = function && wasm_bpf_bpf_btf_method_btf_describe(wasm_bpf_bpf_btf_borrow_btf(btf), function, &type);
	wasm_bpf_bpf_btf_btf_drop_own(btf);
	if (!is_known)
		return wb_refuse(EINVAL, "program '%s': it is no iterator, or of a module", it->name);
	text = type.name;
	type.name = (wasm_bpf_string_t){ 0 };
	wasm_bpf_bpf_btf_type_info_free(&type);
	*target = wb_take_string(&text);
	if (*target && !strncmp(*target, prefix, sizeof(prefix) - 1))
		memmove(*target, *target + sizeof(prefix) - 1, strlen(*target) - (sizeof(prefix) - 1) + 1);
	return *target ? 0 : wb_no_memory();
}

static int set_map(const struct wb_attaching *it, uint32_t map_fd, wasm_bpf_bpf_programs_borrow_iterator_options_t setting)
{
	wasm_bpf_bpf_maps_borrow_map_t map;
	wasm_bpf_bpf_types_error_t error;

	if (!wb_map_of(map_fd, &map))
		return wb_refuse(errno, "program '%s': %u is no map", it->name, map_fd);
	return wasm_bpf_bpf_programs_method_iterator_options_set_map(setting, map, &error) ? 0
		: wb_fail(&error, "set the map of an iterator");
}

static int set_cgroup(const struct wb_attaching *it, const union bpf_iter_link_info *info,
	wasm_bpf_bpf_programs_borrow_iterator_options_t setting)
{
	wasm_bpf_bpf_programs_cgroup_order_t order = { .tag = info->cgroup.order - BPF_CGROUP_ITER_SELF_ONLY };
	wasi_filesystem_types_own_descriptor_t cgroup;
	wasm_bpf_bpf_types_error_t error;
	int result;

	if (info->cgroup.cgroup_id || !info->cgroup.cgroup_fd)
		return wb_refuse(ENOTSUP, "program '%s': the cgroup where to begin is given by the descriptor of its folder", it->name);
	if (info->cgroup.order < BPF_CGROUP_ITER_SELF_ONLY || info->cgroup.order > BPF_CGROUP_ITER_ANCESTORS_UP) {
		order.tag = WASM_BPF_BPF_PROGRAMS_CGROUP_ORDER_OTHER;
		order.val.other = info->cgroup.order;
	}
	result = wb_open_path_of(info->cgroup.cgroup_fd, &cgroup);
	if (result < 0)
		return result;
	if (!wasm_bpf_bpf_programs_method_iterator_options_set_cgroup(setting, wasi_filesystem_types_borrow_descriptor(cgroup), &order,
		&error))
		result = wb_fail(&error, "set the cgroup of an iterator");
	wasi_filesystem_types_descriptor_drop_own(cgroup);
	return result;
}

static int set_task(const struct wb_attaching *it, const union bpf_iter_link_info *info,
	wasm_bpf_bpf_programs_borrow_iterator_options_t setting)
{
	wasm_bpf_bpf_types_error_t error;
	uint32_t process = info->task.pid;

	if (!!info->task.tid + !!info->task.pid + !!info->task.pid_fd > 1)
		return wb_refuse(EINVAL, "program '%s': an iterator goes through one thread or one process", it->name);
	if (info->task.pid_fd) {
		process = wb_process_of(info->task.pid_fd);
		if (!process)
			return wb_refuse(EBADF, "program '%s': %u is no descriptor of a process", it->name, info->task.pid_fd);
	}
	if (info->task.tid && !wasm_bpf_bpf_programs_method_iterator_options_set_task(setting, info->task.tid, &error))
		return wb_fail(&error, "set the thread of an iterator");
	if (process && !wasm_bpf_bpf_programs_method_iterator_options_set_process(setting, process, &error))
		return wb_fail(&error, "set the process of an iterator");
	return 0;
}

static int set(const struct wb_attaching *it, const union bpf_iter_link_info *info, wasm_bpf_bpf_programs_borrow_iterator_options_t setting)
{
	char *target;
	int result = target_of(it, &target);

	if (result < 0)
		return result;
	if (!strcmp(target, "bpf_map_elem") || !strcmp(target, "bpf_sk_storage_map"))
		result = set_map(it, info->map.map_fd, setting);
	else if (!strcmp(target, "cgroup"))
		result = set_cgroup(it, info, setting);
	else if (!strcmp(target, "task") || !strcmp(target, "task_file") || !strcmp(target, "task_vma"))
		result = set_task(it, info, setting);
	free(target);
	return result;
}

int wb_attach_iterator(struct wb_attaching *it, const union bpf_iter_link_info *info, uint32_t length)
{
	wasm_bpf_bpf_programs_own_iterator_options_t options;
	wasm_bpf_bpf_programs_borrow_iterator_options_t setting;
	wasm_bpf_bpf_types_error_t error;
	union bpf_iter_link_info known = { 0 };
	int result = 0;

	if (!info != !length)
		return wb_refuse(EINVAL, "program '%s': what to go through has no length, or a length alone", it->name);
	for (size_t at = sizeof(known); at < length; at++) {
		if (((const unsigned char *)info)[at])
			return wb_refuse(E2BIG, "program '%s': what to go through has a field set that this library does not know",
				it->name);
	}
	options = wasm_bpf_bpf_programs_constructor_iterator_options();
	setting = wasm_bpf_bpf_programs_borrow_iterator_options(options);
	if (info) {
		memcpy(&known, info, length < sizeof(known) ? length : sizeof(known));
		result = set(it, &known, setting);
	}
	if (result == 0)
		result = wb_attached(it, wasm_bpf_bpf_programs_method_program_attach_iterator(it->program, setting, &it->link, &error),
			&error);
	wasm_bpf_bpf_programs_iterator_options_drop_own(options);
	return result;
}

struct bpf_link *bpf_program__attach_iter(const struct bpf_program *prog, const struct bpf_iter_attach_opts *opts)
{
	WB_CALL;
	struct wb_attaching it;

	if (!WB_OPTIONS_VALID(opts, bpf_iter_attach_opts))
		return wb_null(-EINVAL);
	if (!wb_attaching(&it, prog))
		return NULL;
	return wb_attach_link(&it, wb_attach_iterator(&it, WB_OPTION(opts, link_info, NULL), WB_OPTION(opts, link_info_len, 0)));
}
