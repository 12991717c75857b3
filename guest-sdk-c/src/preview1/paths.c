// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Files by their paths, each from a folder that is open.
#include <string.h>

#include "about.h"
#include "files.h"

// The flags for following links, and for opening, have the same numbers in both.
_Static_assert(__WASI_LOOKUPFLAGS_SYMLINK_FOLLOW == WASI_FILESYSTEM_TYPES_PATH_FLAGS_SYMLINK_FOLLOW, "flags of paths");
_Static_assert(__WASI_OFLAGS_CREAT == WASI_FILESYSTEM_TYPES_OPEN_FLAGS_CREATE, "flags of open");
_Static_assert(__WASI_OFLAGS_DIRECTORY == WASI_FILESYSTEM_TYPES_OPEN_FLAGS_DIRECTORY, "flags of open");
_Static_assert(__WASI_OFLAGS_EXCL == WASI_FILESYSTEM_TYPES_OPEN_FLAGS_EXCLUSIVE, "flags of open");
_Static_assert(__WASI_OFLAGS_TRUNC == WASI_FILESYSTEM_TYPES_OPEN_FLAGS_TRUNCATE, "flags of open");

int32_t P1(path_open)(int32_t folder, int32_t lookup, const char *path, __wasi_size_t length, int32_t how, int64_t rights,
		      int64_t inheriting, int32_t flags, __wasi_fd_t *opened)
{
	const struct wb_file *from = wb_opened(folder);
	wasi_filesystem_types_own_descriptor_t descriptor;
	wasi_filesystem_types_descriptor_flags_t wanted = 0;
	wasm_bpf_string_t name = wb_path(path, length);
	wasi_filesystem_types_error_code_t error;
	struct wb_file *file;
	int fd;

	(void)inheriting;
	if (!from)
		return wb_file_at(folder) ? __WASI_ERRNO_NOTDIR : __WASI_ERRNO_BADF;
	if (rights & __WASI_RIGHTS_FD_READ)
		wanted |= WASI_FILESYSTEM_TYPES_DESCRIPTOR_FLAGS_READ;
	if (rights & __WASI_RIGHTS_FD_WRITE)
		wanted |= WASI_FILESYSTEM_TYPES_DESCRIPTOR_FLAGS_WRITE;
	if (flags & __WASI_FDFLAGS_SYNC)
		wanted |= WASI_FILESYSTEM_TYPES_DESCRIPTOR_FLAGS_FILE_INTEGRITY_SYNC;
	if (flags & __WASI_FDFLAGS_DSYNC)
		wanted |= WASI_FILESYSTEM_TYPES_DESCRIPTOR_FLAGS_DATA_INTEGRITY_SYNC;
	if (flags & __WASI_FDFLAGS_RSYNC)
		wanted |= WASI_FILESYSTEM_TYPES_DESCRIPTOR_FLAGS_REQUESTED_WRITE_SYNC;
	if (!wasi_filesystem_types_method_descriptor_open_at(wb_descriptor(from), lookup, &name, how, wanted, &descriptor, &error))
		return wb_file_errno(error);
	file = wb_file_new(WB_FILE_OPEN, &fd);
	if (!file) {
		wasi_filesystem_types_descriptor_drop_own(descriptor);
		return __WASI_ERRNO_NOMEM;
	}
	file->flags = flags;
	file->descriptor = descriptor;
	*opened = fd;
	return __WASI_ERRNO_SUCCESS;
}

int32_t P1(path_filestat_get)(int32_t folder, int32_t lookup, const char *path, __wasi_size_t length, __wasi_filestat_t *about)
{
	const struct wb_file *from = wb_opened(folder);
	wasi_filesystem_types_metadata_hash_value_t hash;
	wasi_filesystem_types_descriptor_stat_t found;
	wasi_filesystem_types_error_code_t error;
	wasm_bpf_string_t name = wb_path(path, length);

	if (!from)
		return __WASI_ERRNO_BADF;
	if (!wasi_filesystem_types_method_descriptor_stat_at(wb_descriptor(from), lookup, &name, &found, &error) ||
	    !wasi_filesystem_types_method_descriptor_metadata_hash_at(wb_descriptor(from), lookup, &name, &hash, &error))
		return wb_file_errno(error);
	wb_fill_filestat(about, &found, &hash);
	return __WASI_ERRNO_SUCCESS;
}

int32_t P1(path_filestat_set_times)(int32_t folder, int32_t lookup, const char *path, __wasi_size_t length, int64_t access,
				    int64_t modification, int32_t flags)
{
	const struct wb_file *from = wb_opened(folder);
	wasi_filesystem_types_new_timestamp_t times[2];
	wasm_bpf_string_t name = wb_path(path, length);
	wasi_filesystem_types_error_code_t error;

	if (!from)
		return __WASI_ERRNO_BADF;
	if (!wb_new_time(&times[0], access, flags & __WASI_FSTFLAGS_ATIM, flags & __WASI_FSTFLAGS_ATIM_NOW) ||
	    !wb_new_time(&times[1], modification, flags & __WASI_FSTFLAGS_MTIM, flags & __WASI_FSTFLAGS_MTIM_NOW))
		return __WASI_ERRNO_INVAL;
	return wb_done(wasi_filesystem_types_method_descriptor_set_times_at(wb_descriptor(from), lookup, &name, &times[0], &times[1], &error),
		       &error);
}

int32_t P1(path_readlink)(int32_t folder, const char *path, __wasi_size_t length, uint8_t *text, __wasi_size_t room, __wasi_size_t *used)
{
	const struct wb_file *from = wb_opened(folder);
	wasm_bpf_string_t name = wb_path(path, length), target;
	wasi_filesystem_types_error_code_t error;

	if (!from)
		return __WASI_ERRNO_BADF;
	if (!wasi_filesystem_types_method_descriptor_readlink_at(wb_descriptor(from), &name, &target, &error))
		return wb_file_errno(error);
	// What there is no room for is left out, as POSIX has it.
	*used = target.len < room ? target.len : room;
	memcpy(text, target.ptr, *used);
	wasm_bpf_string_free(&target);
	return __WASI_ERRNO_SUCCESS;
}

int32_t P1(path_create_directory)(int32_t folder, const char *path, __wasi_size_t length)
{
	const struct wb_file *from = wb_opened(folder);
	wasm_bpf_string_t name = wb_path(path, length);
	wasi_filesystem_types_error_code_t error;

	if (!from)
		return __WASI_ERRNO_BADF;
	return wb_done(wasi_filesystem_types_method_descriptor_create_directory_at(wb_descriptor(from), &name, &error), &error);
}

int32_t P1(path_remove_directory)(int32_t folder, const char *path, __wasi_size_t length)
{
	const struct wb_file *from = wb_opened(folder);
	wasm_bpf_string_t name = wb_path(path, length);
	wasi_filesystem_types_error_code_t error;

	if (!from)
		return __WASI_ERRNO_BADF;
	return wb_done(wasi_filesystem_types_method_descriptor_remove_directory_at(wb_descriptor(from), &name, &error), &error);
}

int32_t P1(path_unlink_file)(int32_t folder, const char *path, __wasi_size_t length)
{
	const struct wb_file *from = wb_opened(folder);
	wasm_bpf_string_t name = wb_path(path, length);
	wasi_filesystem_types_error_code_t error;

	if (!from)
		return __WASI_ERRNO_BADF;
	return wb_done(wasi_filesystem_types_method_descriptor_unlink_file_at(wb_descriptor(from), &name, &error), &error);
}

int32_t P1(path_symlink)(const char *target, __wasi_size_t target_length, int32_t folder, const char *path, __wasi_size_t length)
{
	const struct wb_file *from = wb_opened(folder);
	wasm_bpf_string_t old = wb_path(target, target_length), name = wb_path(path, length);
	wasi_filesystem_types_error_code_t error;

	if (!from)
		return __WASI_ERRNO_BADF;
	return wb_done(wasi_filesystem_types_method_descriptor_symlink_at(wb_descriptor(from), &old, &name, &error), &error);
}

int32_t P1(path_link)(int32_t old_folder, int32_t lookup, const char *old_path, __wasi_size_t old_length, int32_t folder, const char *path,
		      __wasi_size_t length)
{
	const struct wb_file *from = wb_opened(old_folder), *to = wb_opened(folder);
	wasm_bpf_string_t old = wb_path(old_path, old_length), name = wb_path(path, length);
	wasi_filesystem_types_error_code_t error;

	if (!from || !to)
		return __WASI_ERRNO_BADF;
	return wb_done(wasi_filesystem_types_method_descriptor_link_at(wb_descriptor(from), lookup, &old, wb_descriptor(to), &name, &error),
		       &error);
}

int32_t P1(path_rename)(int32_t old_folder, const char *old_path, __wasi_size_t old_length, int32_t folder, const char *path,
			__wasi_size_t length)
{
	const struct wb_file *from = wb_opened(old_folder), *to = wb_opened(folder);
	wasm_bpf_string_t old = wb_path(old_path, old_length), name = wb_path(path, length);
	wasi_filesystem_types_error_code_t error;

	if (!from || !to)
		return __WASI_ERRNO_BADF;
	return wb_done(wasi_filesystem_types_method_descriptor_rename_at(wb_descriptor(from), &old, wb_descriptor(to), &name, &error), &error);
}
