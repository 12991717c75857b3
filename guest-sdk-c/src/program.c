// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs of an object, before and after load.
#include <stdlib.h>
#include <string.h>

#include "descriptors.h"
#include "errors.h"
#include "globals.h"
#include "object.h"
#include "types.h"

// For what is possible only before load: what the object is open with.
static int open_of(const struct bpf_program *program, const char *doing, wasm_bpf_bpf_objects_borrow_open_object_t *open)
{
	if (!program)
		return wb_refuse(EINVAL, "%s: there is no program", doing);
	if (program->object->loaded)
		return wb_refuse(EBUSY, "%s: program '%s' can be changed only before its object is loaded", doing, program->name);
	*open = wasm_bpf_bpf_objects_borrow_open_object(program->object->open);
	return 0;
}

// The body of a setter: SETTER of the interface takes VALUE, and FIELD of the program remembers NUMBER.
#define SET(PROGRAM, DOING, SETTER, VALUE, FIELD, NUMBER) \
	do { \
		wasm_bpf_bpf_objects_borrow_open_object_t open_; \
		wasm_bpf_bpf_objects_error_t error_; \
		wasm_bpf_string_t name_; \
		int err_ = open_of(PROGRAM, DOING, &open_); \
\
		if (err_) \
			return err_; \
		name_ = wb_string((PROGRAM)->name); \
		if (!wasm_bpf_bpf_objects_method_open_object_##SETTER(open_, &name_, VALUE, &error_)) \
			return wb_fail(&error_, "change a program before load"); \
		(PROGRAM)->FIELD = NUMBER; \
		return 0; \
	} while (0)

bool wb_loaded_program(const struct bpf_program *program, wasm_bpf_bpf_programs_borrow_program_t *handle)
{
	if (!program) {
		wb_refuse(EINVAL, "there is no program");
		return false;
	}
	if (program->fd < 0) {
		wb_refuse(EINVAL, "program '%s' is not loaded", program->name);
		return false;
	}
	return wb_program_of(program->fd, handle);
}

const char *bpf_program__name(const struct bpf_program *program)
{
	return program->name;
}

const char *bpf_program__section_name(const struct bpf_program *program)
{
	return program->section;
}

bool bpf_program__autoload(const struct bpf_program *program)
{
	return program->autoload;
}

int bpf_program__set_autoload(struct bpf_program *program, bool autoload)
{
	// As libbpf answers it, unlike the others.
	if (program && program->object->loaded)
		return wb_refuse(EINVAL, "program '%s': its object is loaded", program->name);
	SET(program, "autoload", set_autoload, autoload, autoload, autoload);
}

bool bpf_program__autoattach(const struct bpf_program *program)
{
	return program->autoattach;
}

void bpf_program__set_autoattach(struct bpf_program *program, bool autoattach)
{
	program->autoattach = autoattach;
}

int bpf_program__fd(const struct bpf_program *program)
{
	if (!program) {
		errno = EINVAL;
		return -EINVAL;
	}
	if (program->fd < 0) {
		errno = ENOENT;
		return -ENOENT;
	}
	return program->fd;
}

enum bpf_prog_type bpf_program__type(const struct bpf_program *program)
{
	return program->type;
}

enum bpf_prog_type bpf_program__get_type(const struct bpf_program *program)
{
	return program->type;
}

int bpf_program__set_type(struct bpf_program *program, enum bpf_prog_type type)
{
	wasm_bpf_bpf_types_program_type_t wanted = wb_program_type(type);

	SET(program, "type", set_program_type, &wanted, type, type);
}

enum bpf_attach_type bpf_program__expected_attach_type(const struct bpf_program *program)
{
	return program->attach_type;
}

enum bpf_attach_type bpf_program__get_expected_attach_type(const struct bpf_program *program)
{
	return program->attach_type;
}

int bpf_program__set_expected_attach_type(struct bpf_program *program, enum bpf_attach_type type)
{
	SET(program, "expected attach type", set_expected_attach_type, type, attach_type, type);
}

__u32 bpf_program__flags(const struct bpf_program *program)
{
	return program->flags;
}

int bpf_program__set_flags(struct bpf_program *program, __u32 flags)
{
	SET(program, "flags", set_program_flags, flags, flags, flags);
}

__u32 bpf_program__log_level(const struct bpf_program *program)
{
	return program->log_level;
}

int bpf_program__set_log_level(struct bpf_program *program, __u32 level)
{
	if (program->object->loaded)
		return wb_refuse(EBUSY, "log level: the object of program '%s' is loaded", program->name);
	program->log_level = level;
	return 0;
}

const char *bpf_program__log_buf(const struct bpf_program *program, size_t *size)
{
	if (size)
		*size = program->log_size;
	return program->log;
}

int bpf_program__set_log_buf(struct bpf_program *program, char *buffer, size_t size)
{
	if (size && !buffer)
		return wb_refuse(EINVAL, "log buffer of program '%s': there is a size and no buffer", program->name);
	if (program->object->loaded)
		return wb_refuse(EBUSY, "log buffer: the object of program '%s' is loaded", program->name);
	program->log = buffer;
	program->log_size = size;
	return 0;
}

void bpf_program__set_ifindex(struct bpf_program *program, __u32 ifindex)
{
	program->ifindex = ifindex;
}

int bpf_program__set_attach_target(struct bpf_program *program, int target_fd, const char *function)
{
	wasm_bpf_bpf_objects_borrow_open_object_t open;
	wasm_bpf_bpf_programs_borrow_program_t target;
	wasm_bpf_bpf_objects_error_t error;
	wasm_bpf_string_t name, what;
	bool done;
	int err;

	if (!program || target_fd < 0)
		return wb_refuse(EINVAL, "attach target: there is no such program");
	if (program->object->loaded)
		return wb_refuse(EINVAL, "attach target: the object of program '%s' is loaded", program->name);
	err = open_of(program, "attach target", &open);
	if (err)
		return err;
	// With a program alone, the section says which function of it.
	if (!function && target_fd) {
		function = strchr(program->section, '/');
		function = function ? function + 1 : NULL;
	}
	if (!function)
		return wb_refuse(EINVAL, "attach target of program '%s': no function was named", program->name);
	name = wb_string(program->name);
	what = wb_string(function);
	WB_CALL;
	if (target_fd) {
		if (!wb_program_of(target_fd, &target))
			return wb_refuse(EBADF, "attach target of program '%s': %d is no descriptor of a program", program->name, target_fd);
		done = wasm_bpf_bpf_objects_method_open_object_set_attach_program(open, &name, target, &what, &error);
	} else {
		done = wasm_bpf_bpf_objects_method_open_object_set_attach_target(open, &name, &what, &error);
	}
	if (!done) {
		err = wb_fail(&error, "change a program before load");
		// libbpf's number for what the kernel's types do not have.
		if (err == -ENOENT && !target_fd) {
			err = -ESRCH;
			errno = ESRCH;
		}
		return err;
	}
	program->target_fd = target_fd;
	return 0;
}

int bpf_program__pin(struct bpf_program *program, const char *path)
{
	wasm_bpf_bpf_programs_borrow_program_t handle;
	wasm_bpf_bpf_programs_error_t error;
	wasm_bpf_string_t text;

	if (!wb_loaded_program(program, &handle))
		return -errno;
	if (!path)
		return wb_refuse(EINVAL, "no path to pin program '%s' at", program->name);
	text = wb_string(path);
	WB_CALL;
	return wasm_bpf_bpf_programs_method_program_pin(handle, &text, &error) ? 0 : wb_fail(&error, "pin a program");
}

int bpf_program__unpin(struct bpf_program *program, const char *path)
{
	wasm_bpf_bpf_programs_borrow_program_t handle;
	wasm_bpf_bpf_programs_error_t error;
	wasm_bpf_string_t text;

	if (!wb_loaded_program(program, &handle))
		return -errno;
	if (!path)
		return wb_refuse(EINVAL, "no path to unpin program '%s' from", program->name);
	text = wb_string(path);
	WB_CALL;
	return wasm_bpf_bpf_programs_method_program_unpin(handle, &text, &error) ? 0 : wb_fail(&error, "unpin a program");
}

void bpf_program__unload(struct bpf_program *program)
{
	if (!program || program->fd < 0)
		return;
	WB_CALL;
	wb_descriptor_close(program->fd);
	program->fd = -1;
}
