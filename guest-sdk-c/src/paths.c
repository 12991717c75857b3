// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "errors.h"
#include "object.h"
#include "paths.h"

int wb_file_error(wasi_filesystem_types_error_code_t code)
{
	// In the order of the interface's cases.
	static const unsigned short numbers[] = {
		EACCES, EAGAIN, EALREADY, EBADF, EBUSY, EDEADLK, EDQUOT, EEXIST, EFBIG, EILSEQ, EINPROGRESS, EINTR, EINVAL,
		EIO, EISDIR, ELOOP, EMLINK, EMSGSIZE, ENAMETOOLONG, ENODEV, ENOENT, ENOLCK, ENOMEM, ENOSPC, ENOTDIR,
		ENOTEMPTY, ENOTRECOVERABLE, ENOTSUP, ENOTTY, ENXIO, EOVERFLOW, EPERM, EPIPE, EROFS, ESPIPE, ETXTBSY, EXDEV,
	};
	_Static_assert(sizeof(numbers) / sizeof(numbers[0]) == WASI_FILESYSTEM_TYPES_ERROR_CODE_CROSS_DEVICE + 1,
		"one number for each case");

	return code < sizeof(numbers) / sizeof(numbers[0]) ? -numbers[code] : -EIO;
}

// The folders that the guest was given. They are asked for once: each answer has new handles.
static const wasi_filesystem_preopens_list_tuple2_own_descriptor_string_t *folders(void)
{
	static wasi_filesystem_preopens_list_tuple2_own_descriptor_string_t list;
	static bool is_known;

	if (!is_known)
		wasi_filesystem_preopens_get_directories(&list);
	is_known = true;
	return &list;
}

// As wasi-libc has it, names of folders and paths are compared without what says that they begin at the root or here.
static void skip_start(const uint8_t **text, size_t *length)
{
	for (;;) {
		size_t skip;

		if (*length && (*text)[0] == '/')
			skip = 1;
		else if (*length > 1 && (*text)[0] == '.' && (*text)[1] == '/')
			skip = 2;
		else if (*length == 1 && (*text)[0] == '.')
			skip = 1;
		else
			return;
		*text += skip;
		*length -= skip;
	}
}

// Finds the folder with the longest name that a path lies in, and what remains of the path ("." for the folder itself). Of two folders with
// one name the last is taken.
static bool find_folder(const char *path, wasi_filesystem_types_borrow_descriptor_t *folder, const char **rest)
{
	const wasi_filesystem_preopens_list_tuple2_own_descriptor_string_t *list = folders();
	const uint8_t *text = (const uint8_t *)path;
	size_t length = strlen(path), longest = 0;
	bool is_found = false;

	skip_start(&text, &length);
	for (size_t i = 0; i < list->len; i++) {
		const uint8_t *name = list->ptr[i].f1.ptr;
		size_t name_length = list->ptr[i].f1.len;

		skip_start(&name, &name_length);
		while (name_length && name[name_length - 1] == '/')
			name_length--;
		if (name_length > length || memcmp(name, text, name_length) != 0)
			continue;
		if (name_length && name_length < length && text[name_length] != '/')
			continue;
		if (is_found && name_length < longest)
			continue;
		is_found = true;
		longest = name_length;
		*folder = wasi_filesystem_types_borrow_descriptor(list->ptr[i].f0);
	}
	if (!is_found)
		return false;
	text += longest;
	while (*text == '/')
		text++;
	*rest = *text ? (const char *)text : ".";
	return true;
}

// Whether a path leaves the folder that it begins in, as its text stands.
static bool leaves(const char *path)
{
	int depth = 0;

	while (*path) {
		size_t length = strcspn(path, "/");

		if (length == 2 && path[0] == '.' && path[1] == '.') {
			if (!depth--)
				return true;
		} else if (length && !(length == 1 && path[0] == '.')) {
			depth++;
		}
		path += length;
		path += strspn(path, "/");
	}
	return false;
}

// Takes out what ".." takes back, in place.
static void shorten(char *path)
{
	char *out = path, *in = path;

	while (*in) {
		size_t length;

		in += strspn(in, "/");
		length = strcspn(in, "/");
		if (length == 2 && in[0] == '.' && in[1] == '.') {
			while (out > path && *--out != '/')
				;
		} else if (length && !(length == 1 && in[0] == '.')) {
			*out++ = '/';
			memmove(out, in, length);
			out += length;
		}
		in += length;
	}
	if (out == path)
		*out++ = '/';
	*out = 0;
}

int wb_open_path(const char *path, wasi_filesystem_types_own_descriptor_t *descriptor)
{
	wasi_filesystem_types_borrow_descriptor_t folder;
	wasi_filesystem_types_error_code_t code;
	wasm_bpf_string_t text;
	const char *rest;
	char *absolute;
	int err = 0;

	if (!path[0]) {
		errno = ENOENT;
		return -ENOENT;
	}
	absolute = wb_absolute_path(path);
	if (!absolute) {
		errno = ENOMEM;
		return -ENOMEM;
	}
	// A path that goes up may end in another folder than the one it begins in. Only then is ".." taken as text; else the host follows
	// links first, as the kernel does.
	if (!find_folder(absolute, &folder, &rest) || leaves(rest)) {
		shorten(absolute);
		if (!find_folder(absolute, &folder, &rest)) {
			err = wb_refuse(ENOENT, "'%s' is in no folder that this component was given; --dir gives one", absolute);
			goto out;
		}
	}
	text = wb_string(rest);
	if (!wasi_filesystem_types_method_descriptor_open_at(folder, WASI_FILESYSTEM_TYPES_PATH_FLAGS_SYMLINK_FOLLOW, &text, 0,
							     WASI_FILESYSTEM_TYPES_DESCRIPTOR_FLAGS_READ, descriptor, &code)) {
		err = wb_file_error(code);
		err = wb_refuse(-err, "cannot open '%s': %s", absolute, strerror(-err));
	}
out:
	free(absolute);
	return err;
}

int wb_open_path_of(int fd, wasi_filesystem_types_own_descriptor_t *descriptor)
{
	const char *path = wb_path_of(fd);

	if (!path) {
		errno = EBADF;
		return -EBADF;
	}
	return wb_open_path(path, descriptor);
}
