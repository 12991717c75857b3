// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What probes of the kernel and of binaries have in common.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../paths.h"
#include "attach.h"

int wb_probe_options(const struct wb_attaching *it, pid_t process, wasm_bpf_bpf_programs_own_probe_options_t *options)
{
	// As getpid() has it, 0 is the process that runs the component.
	uint32_t id = process ? (uint32_t)process : wasm_bpf_bpf_features_own_process();

	if (process < -1)
		return wb_refuse(ESRCH, "program '%s': there is no process %d", it->name, process);
	*options = wasm_bpf_bpf_programs_constructor_probe_options();
	if (process >= 0)
		wasm_bpf_bpf_programs_method_probe_options_set_process(wasm_bpf_bpf_programs_borrow_probe_options(*options), &id);
	return 0;
}

int wb_probe_mode(const struct wb_attaching *it, enum probe_attach_mode mode)
{
	switch (mode) {
	case PROBE_ATTACH_MODE_DEFAULT:
	case PROBE_ATTACH_MODE_LINK:
		return 0;
	case PROBE_ATTACH_MODE_LEGACY:
	case PROBE_ATTACH_MODE_PERF:
		return wb_refuse(ENOTSUP, "program '%s': the host takes the newest way to attach probes that the kernel has; an older one "
			"cannot be asked for", it->name);
	}
	return wb_refuse(EINVAL, "program '%s': there is no mode %d to attach probes in", it->name, mode);
}

int wb_probe_mode_attached(struct wb_attaching *it, enum probe_attach_mode mode, int result)
{
	wasm_bpf_bpf_links_option_link_info_t info;
	wasm_bpf_bpf_types_error_code_t code;
	bool has_link;

	if (result < 0 || mode != PROBE_ATTACH_MODE_LINK)
		return result;
	if (!wasm_bpf_bpf_links_method_link_info(wasm_bpf_bpf_links_borrow_link(it->link), &info, &code)) {
		wasm_bpf_bpf_links_link_drop_own(it->link);
		return wb_fail_code(&code);
	}
	has_link = info.is_some;
	wasm_bpf_bpf_links_option_link_info_free(&info);
	if (has_link)
		return 0;
	wasm_bpf_bpf_links_link_drop_own(it->link);
	return wb_refuse(ENOTSUP, "program '%s': this kernel has no links for probes", it->name);
}

bool wb_offsets(const unsigned long *numbers, size_t count, wasm_bpf_list_u64_t *list)
{
	list->ptr = NULL;
	list->len = 0;
	if (!numbers || !count)
		return true;
	if (count > SIZE_MAX / sizeof(uint64_t))
		return false;
	list->ptr = malloc(count * sizeof(uint64_t));
	if (!list->ptr)
		return false;
	for (size_t i = 0; i < count; i++)
		list->ptr[i] = numbers[i];
	list->len = count;
	return true;
}

// A file of this name in one of the folders of a list that colons part, in memory of its own; NULL if there is none.
static char *find_in(const char *folders, const char *name)
{
	while (folders && *folders) {
		size_t length = strcspn(folders, ":");

		if (length) {
			size_t size = length + 1 + strlen(name) + 1;
			char *path = malloc(size);

			if (!path)
				return NULL;
			snprintf(path, size, "%.*s/%s", (int)length, folders, name);
			if (access(path, R_OK) == 0)
				return path;
			free(path);
		}
		folders += length;
		folders += *folders == ':';
	}
	return NULL;
}

// Debian and its kin keep libraries in a folder named after the machine, which is the host's and not the guest's.
static char *find_in_machine_folder(const char *name)
{
	wasm_bpf_string_t machine;
	char folder[64];

	wasm_bpf_bpf_features_machine(&machine);
	snprintf(folder, sizeof(folder), "/lib/%.*s-linux-gnu", (int)machine.len, (const char *)machine.ptr);
	wasm_bpf_string_free(&machine);
	return find_in(folder, name);
}

int wb_open_binary(const char *path, wasi_filesystem_types_own_descriptor_t *binary)
{
	bool is_library;
	char *found;
	int result;

	if (!path)
		return wb_refuse(EINVAL, "no binary is given");
	if (strstr(path, "!/"))
		return wb_refuse(ENOTSUP, "'%s': the host does not look into archives", path);
	if (strchr(path, '/'))
		return wb_open_path(path, binary);
	is_library = strstr(path, ".so") != NULL;
	found = find_in(getenv(is_library ? "LD_LIBRARY_PATH" : "PATH"), path);
	if (!found)
		found = find_in(is_library ? "/usr/lib64:/usr/lib" : "/usr/bin:/usr/sbin", path);
	if (!found && is_library)
		found = find_in_machine_folder(path);
	if (!found)
		return wb_refuse(ENOENT, "'%s' was found in none of the folders for %s that the guest was given; give them with --dir, or "
			"name the whole path", path, is_library ? "libraries" : "programs");
	result = wb_open_path(found, binary);
	free(found);
	return result;
}
