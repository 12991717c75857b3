// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "descriptors.h"
#include "errors.h"
#include "globals.h"
#include "object.h"

struct bpf_link *wb_link_new(wasm_bpf_bpf_links_own_link_t handle)
{
	int fd = wb_link_descriptor(handle);
	struct bpf_link *link;

	if (fd < 0)
		return wb_null(fd);
	link = calloc(1, sizeof(*link));
	if (!link) {
		wb_descriptor_close(fd);
		return wb_null(-ENOMEM);
	}
	link->fd = fd;
	link->event_fd = -1;
	return link;
}

struct bpf_link *bpf_link__open(const char *path)
{
	WB_CALL;
	wasm_bpf_string_t text = wb_string(path);
	wasm_bpf_bpf_links_own_link_t handle;
	wasm_bpf_bpf_types_error_t error;
	struct bpf_link *link;

	if (!wasm_bpf_bpf_links_static_link_open_pinned(&text, &handle, &error))
		return wb_null(wb_fail(&error, "open a pinned link"));
	link = wb_link_new(handle);
	if (!link)
		return NULL;
	link->pin_path = strdup(path);
	if (!link->pin_path) {
		bpf_link__destroy(link);
		return wb_null(-ENOMEM);
	}
	return link;
}

int bpf_link__fd(const struct bpf_link *link)
{
	return link->fd;
}

const char *bpf_link__pin_path(const struct bpf_link *link)
{
	return link->pin_path;
}

int bpf_link__pin(struct bpf_link *link, const char *path)
{
	WB_CALL;
	wasm_bpf_bpf_links_borrow_link_t handle;
	wasm_bpf_string_t text = wb_string(path);
	wasm_bpf_bpf_types_error_t error;
	char *copy;
	int result;

	if (link->pin_path)
		return wb_refuse(EBUSY, "the link is pinned at '%s' already", link->pin_path);
	if (!wb_link_of(link->fd, &handle))
		return -errno;
	copy = strdup(path);
	if (!copy)
		return wb_no_memory();
	if (!wasm_bpf_bpf_links_method_link_pin(handle, &text, &error)) {
		free(copy);
		result = wb_fail(&error, "pin a link");
		return result;
	}
	link->pin_path = copy;
	return 0;
}

int bpf_link__unpin(struct bpf_link *link)
{
	WB_CALL;
	wasm_bpf_bpf_links_borrow_link_t handle;
	wasm_bpf_bpf_types_error_t error;
	wasm_bpf_string_t text;

	if (!link->pin_path)
		return wb_refuse(EINVAL, "the link is not pinned");
	if (!wb_link_of(link->fd, &handle))
		return -errno;
	text = wb_string(link->pin_path);
	if (!wasm_bpf_bpf_links_method_link_unpin(handle, &text, &error))
		return wb_fail(&error, "unpin a link");
	free(link->pin_path);
	link->pin_path = NULL;
	return 0;
}

int bpf_link__update_program(struct bpf_link *link, struct bpf_program *prog)
{
	wasm_bpf_bpf_programs_borrow_program_t program;

	if (!wb_loaded_program(prog, &program))
		return -errno;
	return bpf_link_update(link->fd, prog->fd, NULL);
}

int bpf_link__update_map(struct bpf_link *link, const struct bpf_map *map)
{
	wasm_bpf_bpf_maps_borrow_map_t handle;

	if (map->type != BPF_MAP_TYPE_STRUCT_OPS)
		return wb_refuse(EINVAL, "map '%s': it has no operations to register", map->name);
	if (!wb_loaded_map(map, &handle))
		return -errno;
	return bpf_link_update(link->fd, map->fd, NULL);
}

void bpf_link__disconnect(struct bpf_link *link)
{
	link->disconnected = true;
}

int bpf_link__detach(struct bpf_link *link)
{
	return bpf_link_detach(link->fd);
}

int bpf_link__destroy(struct bpf_link *link)
{
	WB_CALL;
	int result = 0;

	if (!link)
		return 0;
	// As for a process, the descriptors of a link that is disconnected stay open.
	if (!link->disconnected) {
		result = wb_descriptor_close(link->fd);
		if (link->event_fd >= 0)
			wb_descriptor_close(link->event_fd);
	}
	free(link->pin_path);
	free(link);
	return result;
}
