// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Objects: opened from bytes, loaded once, closed.
#define _GNU_SOURCE
#include "object.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wasm-bpf.h>

#include "descriptors.h"
#include "errors.h"
#include "globals.h"
#include "options.h"
#include "print.h"
#include "types.h"

// ---- Opening -------------------------------------------------------------------------------------------------------

// The kernel's name of a map of global data has the beginning of the object's; custom sections keep theirs.
static char *map_name(const char *object, const char *declared, bool global_data)
{
	int suffix = strlen(declared), prefix;
	char name[BPF_OBJ_NAME_LEN];

	if (!global_data || declared[0] != '.' || strchr(declared + 1, '.'))
		return strdup(declared);
	if (suffix < 7)
		suffix = 7;
	if (suffix > (int)BPF_OBJ_NAME_LEN - 1)
		suffix = BPF_OBJ_NAME_LEN - 1;
	prefix = BPF_OBJ_NAME_LEN - 1 - suffix;
	if (prefix > (int)strlen(object))
		prefix = strlen(object);
	snprintf(name, sizeof(name), "%.*s%.*s", prefix, object, suffix, declared);
	for (char *letter = name; *letter; letter++) {
		if (!isalnum((unsigned char)*letter) && *letter != '_' && *letter != '.')
			*letter = '_';
	}
	return strdup(name);
}

static char *copy_of(const wasm_bpf_string_t *text)
{
	return strndup((const char *)text->ptr, text->len);
}

// The value that global data begins with, as memory that the program may write to.
static int take_initial_value(struct bpf_object *object, struct bpf_map *map)
{
	wasm_bpf_string_t name = wb_string(map->declared);
	wasm_bpf_bpf_objects_error_t error;
	wasm_bpf_list_u8_t value;

	if (!wasm_bpf_bpf_objects_method_open_object_initial_value(wasm_bpf_bpf_objects_borrow_open_object(object->open), &name,
								   &value, &error))
		return wb_fail(&error, "read the initial value of a map");
	// The list is memory of malloc already; an empty one has none.
	map->initial_value = value.len ? value.ptr : calloc(1, 1);
	map->initial_size = value.len;
	return map->initial_value ? 0 : wb_no_memory();
}

static int take_inner(struct bpf_map *map, const wasm_bpf_bpf_objects_inner_map_declaration_t *declared)
{
	struct bpf_map *inner = calloc(1, sizeof(*inner));

	if (!inner)
		return -ENOMEM;
	map->inner = inner;
	inner->object = map->object;
	inner->outer = map;
	inner->autocreate = true;
	inner->fd = -1;
	inner->type = wb_map_type_number(&declared->type);
	inner->key_size = declared->key_size;
	inner->value_size = declared->value_size;
	inner->max_entries = declared->max_entries;
	inner->flags = declared->flags;
	if (asprintf(&inner->name, "%s.inner", map->name) < 0) {
		inner->name = NULL;
		return -ENOMEM;
	}
	return 0;
}

static void take_declaration(struct bpf_map *map, const wasm_bpf_bpf_objects_map_declaration_t *declared)
{
	map->type = wb_map_type_number(&declared->type);
	map->key_size = declared->key_size;
	map->value_size = declared->value_size;
	map->max_entries = declared->max_entries;
	map->flags = declared->flags;
	map->extra = declared->extra;
	map->numa_node = declared->numa_node;
	map->autocreate = declared->autocreate;
}

void wb_map_refresh(struct bpf_map *map)
{
	wasm_bpf_bpf_objects_list_map_declaration_t list;
	size_t index = map - map->object->maps;

	wasm_bpf_bpf_objects_method_open_object_maps(wasm_bpf_bpf_objects_borrow_open_object(map->object->open), &list);
	// The order is that of the file.
	if (index < list.len)
		take_declaration(map, &list.ptr[index]);
	wasm_bpf_bpf_objects_list_map_declaration_free(&list);
}

static int take_maps(struct bpf_object *object)
{
	wasm_bpf_bpf_objects_list_map_declaration_t list;
	int err = 0;

	wasm_bpf_bpf_objects_method_open_object_maps(wasm_bpf_bpf_objects_borrow_open_object(object->open), &list);
	object->maps = calloc(list.len ? list.len : 1, sizeof(*object->maps));
	if (!object->maps)
		err = wb_no_memory();
	for (size_t i = 0; !err && i < list.len; i++) {
		const wasm_bpf_bpf_objects_map_declaration_t *declared = &list.ptr[i];
		struct bpf_map *map = &object->maps[object->map_count++];

		map->object = object;
		map->fd = -1;
		map->declared = copy_of(&declared->name);
		map->name = map->declared ? map_name(object->name, map->declared, declared->global_data) : NULL;
		take_declaration(map, declared);
		map->autoattach = map->type == BPF_MAP_TYPE_STRUCT_OPS;
		map->global_data = declared->global_data;
		if (declared->pin_path.is_some)
			map->pin_path = copy_of(&declared->pin_path.val);
		if (!map->name || (declared->pin_path.is_some && !map->pin_path))
			err = wb_no_memory();
		if (!err && declared->inner_map.is_some && take_inner(map, &declared->inner_map.val))
			err = wb_no_memory();
		if (!err && map->global_data)
			err = take_initial_value(object, map);
	}
	wasm_bpf_bpf_objects_list_map_declaration_free(&list);
	return err;
}

static int take_programs(struct bpf_object *object)
{
	wasm_bpf_bpf_objects_list_program_declaration_t list;
	int err = 0;

	wasm_bpf_bpf_objects_method_open_object_programs(wasm_bpf_bpf_objects_borrow_open_object(object->open), &list);
	object->programs = calloc(list.len ? list.len : 1, sizeof(*object->programs));
	if (!object->programs)
		err = wb_no_memory();
	for (size_t i = 0; !err && i < list.len; i++) {
		const wasm_bpf_bpf_objects_program_declaration_t *declared = &list.ptr[i];
		struct bpf_program *program = &object->programs[object->program_count++];

		program->object = object;
		program->fd = -1;
		program->name = copy_of(&declared->name);
		program->section = copy_of(&declared->section);
		program->type = wb_program_type_number(&declared->type);
		program->attach_type = declared->expected_attach_type;
		program->instructions = declared->instructions;
		program->autoload = declared->autoload;
		program->autoattach = true;
		if (!program->name || !program->section)
			err = wb_no_memory();
	}
	wasm_bpf_bpf_objects_list_program_declaration_free(&list);
	return err;
}

static int check_options(const struct bpf_object_open_opts *opts)
{
	if (!WB_OPTIONS_VALID(opts, bpf_object_open_opts))
		return -EINVAL;
	if (WB_OPTION(opts, kconfig, NULL))
		return wb_refuse(EOPNOTSUPP, "the option kconfig: what .kconfig variables say is the host's");
	if (WB_OPTION(opts, btf_custom_path, NULL))
		return wb_refuse(EOPNOTSUPP, "the option btf_custom_path: BTF of the kernel is given to the host, with --btf");
	if (WB_OPTION(opts, bpf_token_path, NULL) && *opts->bpf_token_path)
		return wb_refuse(EOPNOTSUPP, "the option bpf_token_path: a guest has no BPF tokens");
	if (!WB_OPTION(opts, kernel_log_buf, NULL) && WB_OPTION(opts, kernel_log_size, 0))
		return wb_refuse(EINVAL, "the option kernel_log_size is there without kernel_log_buf");
	return 0;
}

// Hands the bytes to the host.
static int hand_over(struct bpf_object *object, const struct bpf_object_open_opts *opts)
{
	wasm_bpf_bpf_objects_own_open_options_t own = wasm_bpf_bpf_objects_constructor_open_options();
	wasm_bpf_bpf_objects_borrow_open_options_t options = wasm_bpf_bpf_objects_borrow_open_options(own);
	wasm_bpf_list_u8_t elf = wb_bytes(object->elf, object->elf_size);
	char good_name[BPF_OBJ_NAME_LEN];
	__u32 level = WB_OPTION(opts, kernel_log_level, 0);
	wasm_bpf_bpf_objects_error_t error;
	wasm_bpf_string_t name;
	int err = 0;

	// libbpf takes any name, the host those that can be said: it is in messages, and in the kernel's names of global data.
	snprintf(good_name, sizeof(good_name), "%s", *object->name ? object->name : "_");
	for (char *letter = good_name; *letter; letter++) {
		if (!isalnum((unsigned char)*letter) && !strchr("_-.", *letter))
			*letter = '_';
	}
	name = wb_string(good_name);
	if (!wasm_bpf_bpf_objects_method_open_options_set_name(options, &name, &error) ||
	    (level && !wasm_bpf_bpf_objects_method_open_options_set_verifier_log_level(options, level, &error)) ||
	    !wasm_bpf_bpf_objects_static_open_object_open(&elf, options, &object->open, &error))
		err = wb_fail(&error, "open the object");
	wasm_bpf_bpf_objects_open_options_drop_own(own);
	return err;
}

// Maps that are pinned by their names have the usual folder in their paths.
static int set_pin_root(struct bpf_object *object, const char *root)
{
	int err = 0;

	for (size_t i = 0; !err && i < object->map_count; i++) {
		struct bpf_map *map = &object->maps[i];
		char *path;

		if (!map->pin_path)
			continue;
		if (asprintf(&path, "%s/%s", root, map->name) < 0)
			return wb_no_memory();
		err = bpf_map__set_pin_path(map, path);
		free(path);
	}
	return err;
}

static struct bpf_object *open_bytes(const void *bytes, size_t size, const char *name, const struct bpf_object_open_opts *opts)
{
	struct bpf_object *object;
	void *copy;
	int err;

	err = check_options(opts);
	if (err)
		return wb_null(err);
	if (!bytes || !size)
		return wb_null(wb_refuse(EINVAL, "there is no object: its size is 0"));
	WB_CALL;
	object = calloc(1, sizeof(*object));
	copy = malloc(size);
	if (!object || !copy) {
		free(object);
		free(copy);
		return wb_null(wb_no_memory());
	}
	memcpy(copy, bytes, size);
	object->elf = copy;
	object->elf_size = size;
	// As much of it as the kernel takes for its objects.
	object->name = strndup(WB_OPTION(opts, object_name, NULL) ? opts->object_name : name, BPF_OBJ_NAME_LEN - 1);
	object->log = WB_OPTION(opts, kernel_log_buf, NULL);
	object->log_size = WB_OPTION(opts, kernel_log_size, 0);
	err = object->name ? hand_over(object, opts) : -ENOMEM;
	if (!err)
		err = take_maps(object);
	if (!err)
		err = take_programs(object);
	if (!err && WB_OPTION(opts, pin_root_path, NULL))
		err = set_pin_root(object, opts->pin_root_path);
	if (err) {
		bpf_object__close(object);
		return wb_null(err);
	}
	for (size_t i = 0; i < object->program_count; i++)
		object->programs[i].log_level = WB_OPTION(opts, kernel_log_level, 0);
	return object;
}

struct bpf_object *bpf_object__open_mem(const void *bytes, size_t size, const struct bpf_object_open_opts *opts)
{
	char name[48];

	snprintf(name, sizeof(name), "%lx-%zx", (unsigned long)bytes, size);
	return open_bytes(bytes, size, name, opts);
}

static void *read_file(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	char *bytes = NULL, *larger;
	size_t room = 0, got = 0;

	if (!file)
		return NULL;
	for (;;) {
		size_t more;

		if (got == room) {
			room = room ? room * 2 : 64 * 1024;
			larger = realloc(bytes, room);
			if (!larger)
				break;
			bytes = larger;
		}
		more = fread(bytes + got, 1, room - got, file);
		if (!more) {
			if (ferror(file))
				break;
			fclose(file);
			*size = got;
			return bytes;
		}
		got += more;
	}
	free(bytes);
	fclose(file);
	return NULL;
}

struct bpf_object *bpf_object__open_file(const char *path, const struct bpf_object_open_opts *opts)
{
	struct bpf_object *object;
	const char *base;
	char *name;
	void *bytes;
	size_t size;

	if (!path)
		return wb_null(wb_refuse(EINVAL, "no path of an object was given"));
	bytes = read_file(path, &size);
	if (!bytes)
		return wb_null(wb_refuse(errno, "cannot read %s: %s; a guest has the folders that --dir gives it", path, strerror(errno)));
	// Of "folder/tool.bpf.o" it is "tool".
	base = strrchr(path, '/');
	base = base ? base + 1 : path;
	name = strndup(base, strcspn(base, "."));
	object = name ? open_bytes(bytes, size, name, opts) : wb_null(wb_no_memory());
	free(name);
	free(bytes);
	return object;
}

struct bpf_object *bpf_object__open(const char *path)
{
	return bpf_object__open_file(path, NULL);
}

// ---- Loading -------------------------------------------------------------------------------------------------------

// What the program wrote into the memory of global data.
static int hand_over_global_data(struct bpf_object *object)
{
	wasm_bpf_bpf_objects_borrow_open_object_t open = wasm_bpf_bpf_objects_borrow_open_object(object->open);

	for (size_t i = 0; i < object->map_count; i++) {
		struct bpf_map *map = &object->maps[i];
		wasm_bpf_list_u8_t data = wb_bytes(map->initial_value, map->initial_size);
		wasm_bpf_string_t name = wb_string(map->declared);
		wasm_bpf_bpf_objects_error_t error;

		// What is in a map that is there already stays as it is; .kconfig is the host's.
		if (!map->global_data || !map->initial_size || map->reused || !strcmp(map->declared, ".kconfig"))
			continue;
		if (!wasm_bpf_bpf_objects_method_open_object_set_initial_value(open, &name, 0, &data, &error))
			return wb_fail(&error, "set the initial value of a map");
	}
	return 0;
}

// The verifier's log of the program that failed goes to who asked for it, or is shown. A log's end says why.
static void hand_out_log(struct bpf_object *object, const char *subject)
{
	const char *log = wb_last_verifier_log();
	const struct bpf_program *program = NULL;
	char *buffer = object->log;
	size_t size = object->log_size, length;

	if (!log)
		return;
	for (size_t i = 0; subject && i < object->program_count; i++) {
		if (!strcmp(object->programs[i].name, subject))
			program = &object->programs[i];
	}
	if (program && program->log) {
		buffer = program->log;
		size = program->log_size;
	}
	if (!buffer || !size) {
		wb_warn_log(subject, log);
		return;
	}
	length = strlen(log);
	snprintf(buffer, size, "%s", length < size ? log : log + length - size + 1);
}

static int load_failed(struct bpf_object *object, wasm_bpf_bpf_objects_error_t *error)
{
	int err = wb_fail_silently(error);
	const struct wasm_bpf_error *said = wasm_bpf_last_error();

	wb_warn("failed to load object '%s': %s", object->name, said->message);
	hand_out_log(object, said->subject);
	errno = -err;
	return err;
}

static int take_loaded_map(struct bpf_object *object, struct bpf_map *map)
{
	wasm_bpf_bpf_objects_error_code_t code;
	wasm_bpf_string_t name = wb_string(map->declared);
	wasm_bpf_bpf_objects_own_map_t handle;
	int fd;

	if (!map->autocreate)
		return 0;
	if (!wasm_bpf_bpf_objects_method_object_map(wasm_bpf_bpf_objects_borrow_object(object->object_handle), &name, &handle, &code)) {
		// Global data that nothing uses is not created.
		if (code.tag == WASM_BPF_BPF_TYPES_ERROR_CODE_NOT_FOUND)
			return 0;
		return wb_fail_code(&code);
	}
	fd = wb_map_descriptor(handle);
	if (fd < 0)
		return fd;
	map->fd = fd;
	map->pinned = map->pin_path;
	if (map->global_data && map->initial_size && map->flags & BPF_F_MMAPABLE) {
		const bool read_only = !strncmp(map->declared, ".rodata", 7) || !strcmp(map->declared, ".kconfig");
		wasm_bpf_bpf_maps_borrow_map_t borrowed;

		wb_map_of(fd, &borrowed);
		return wb_globals_open(borrowed, map->name, map->initial_value, map->initial_size, read_only);
	}
	// Sections that have nothing but static variables cannot be mapped: what they had at first says nothing of them any more.
	if (map->global_data) {
		free(map->initial_value);
		map->initial_value = NULL;
	}
	return 0;
}

static int take_loaded_program(struct bpf_object *object, struct bpf_program *program)
{
	wasm_bpf_bpf_objects_own_program_t handle;
	wasm_bpf_bpf_objects_error_code_t code;
	wasm_bpf_string_t name = wb_string(program->name);

	if (!program->autoload)
		return 0;
	if (!wasm_bpf_bpf_objects_method_object_program(wasm_bpf_bpf_objects_borrow_object(object->object_handle), &name, &handle, &code))
		return wb_fail_code(&code);
	program->fd = wb_program_descriptor(handle);
	return program->fd < 0 ? program->fd : 0;
}

// What was asked for and no host does.
static int check_before_load(const struct bpf_object *object)
{
	for (size_t i = 0; i < object->program_count; i++) {
		const struct bpf_program *program = &object->programs[i];

		if (program->ifindex && program->autoload)
			return wb_refuse(EOPNOTSUPP, "program '%s' is to run in the hardware of network interface %u, which no host offers",
					 program->name, program->ifindex);
	}
	for (size_t i = 0; i < object->map_count; i++) {
		const struct bpf_map *map = &object->maps[i];

		if (map->declared_operations && memcmp(map->declared_operations, map->initial_value, map->initial_size))
			return wb_refuse(EOPNOTSUPP, "map '%s': its operations were changed in memory, which the interface cannot tell the host; "
						     "set them in the BPF source", map->name);
	}
	return 0;
}

int bpf_object__load(struct bpf_object *object)
{
	wasm_bpf_bpf_objects_own_open_object_t open;
	wasm_bpf_bpf_objects_error_t error;
	int err;

	if (!object)
		return wb_refuse(EINVAL, "there is no object to load");
	if (object->loaded)
		return wb_refuse(EINVAL, "object '%s': it was loaded before", object->name);
	WB_CALL;
	err = check_before_load(object);
	if (!err)
		err = hand_over_global_data(object);
	if (!err && object->before_load)
		err = object->before_load(object);
	if (err)
		return err;
	object->loaded = true;
	open = object->open;
	object->open.__handle = 0;
	if (!wasm_bpf_bpf_objects_static_open_object_load(open, &object->object_handle, &error))
		return load_failed(object, &error);
	for (size_t i = 0; !err && i < object->map_count; i++)
		err = take_loaded_map(object, &object->maps[i]);
	for (size_t i = 0; !err && i < object->program_count; i++)
		err = take_loaded_program(object, &object->programs[i]);
	return err;
}

// ---- Closing -------------------------------------------------------------------------------------------------------

static void free_map(struct bpf_map *map)
{
	if (map->initial_value) {
		wb_globals_close(map->initial_value);
		free(map->initial_value);
	}
	if (map->fd >= 0)
		wb_descriptor_close(map->fd);
	if (map->inner) {
		free_map(map->inner);
		free(map->inner);
	}
	free(map->name);
	free(map->declared);
	free(map->pin_path);
}

void bpf_object__close(struct bpf_object *object)
{
	int saved = errno;

	if (!object)
		return;
	WB_CALL;
	for (size_t i = 0; i < object->map_count; i++)
		free_map(&object->maps[i]);
	for (size_t i = 0; i < object->program_count; i++) {
		struct bpf_program *program = &object->programs[i];

		if (program->fd >= 0)
			wb_descriptor_close(program->fd);
		free(program->name);
		free(program->section);
		free(program->attach_target);
	}
	if (object->open.__handle)
		wasm_bpf_bpf_objects_open_object_drop_own(object->open);
	if (object->object_handle.__handle)
		wasm_bpf_bpf_objects_object_drop_own(object->object_handle);
	if (object->btf)
		object->free_btf(object->btf);
	free(object->maps);
	free(object->programs);
	free((void *)object->elf);
	free(object->name);
	free(object);
	errno = saved;
}

// ---- What there is -------------------------------------------------------------------------------------------------

const char *bpf_object__name(const struct bpf_object *object)
{
	return object ? object->name : wb_null(-EINVAL);
}

struct bpf_program *bpf_object__find_program_by_name(const struct bpf_object *object, const char *name)
{
	for (size_t i = 0; i < object->program_count; i++) {
		if (!strcmp(object->programs[i].name, name))
			return &object->programs[i];
	}
	return wb_null(-ENOENT);
}

struct bpf_program *bpf_object__next_program(const struct bpf_object *object, struct bpf_program *program)
{
	size_t next = program ? program - object->programs + 1 : 0;

	return next < object->program_count ? &object->programs[next] : NULL;
}

struct bpf_program *bpf_object__prev_program(const struct bpf_object *object, struct bpf_program *program)
{
	size_t here = program ? program - object->programs : object->program_count;

	return here ? &object->programs[here - 1] : NULL;
}

struct bpf_map *bpf_object__find_map_by_name(const struct bpf_object *object, const char *name)
{
	for (size_t i = 0; i < object->map_count; i++) {
		struct bpf_map *map = &object->maps[i];

		if (!strcmp(map->name, name) || !strcmp(map->declared, name))
			return map;
	}
	return wb_null(-ENOENT);
}

int bpf_object__find_map_fd_by_name(const struct bpf_object *object, const char *name)
{
	const struct bpf_map *map = bpf_object__find_map_by_name(object, name);

	// Not ENOENT: as natively.
	if (!map)
		return wb_refuse(EINVAL, "object '%s' has no map '%s'", object->name, name);
	return bpf_map__fd(map);
}

struct bpf_map *bpf_object__next_map(const struct bpf_object *object, const struct bpf_map *map)
{
	size_t next = map ? map - object->maps + 1 : 0;

	return next < object->map_count ? &object->maps[next] : NULL;
}

struct bpf_map *bpf_object__prev_map(const struct bpf_object *object, const struct bpf_map *map)
{
	size_t here = map ? (size_t)(map - object->maps) : object->map_count;

	return here ? &object->maps[here - 1] : NULL;
}
