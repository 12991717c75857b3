// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Entries of folders.
#include <stdlib.h>
#include <string.h>

#include "files.h"

// WASI 0.2 leaves out the folder itself and the one above, which preview 1 has first.
static const char *const first[] = { ".", ".." };

static void forget_entry(struct wb_file *file)
{
	if (file->has_entry)
		wasi_filesystem_types_directory_entry_free(&file->entry);
	file->has_entry = false;
}

// A folder is read from one end to the other: what lies before is found by beginning anew.
static int32_t begin_anew(struct wb_file *file)
{
	wasi_filesystem_types_error_code_t error;

	forget_entry(file);
	if (file->entries.__handle)
		wasi_filesystem_types_directory_entry_stream_drop_own(file->entries);
	file->entries.__handle = 0;
	file->cookie = sizeof(first) / sizeof(first[0]);
	return wb_done(wasi_filesystem_types_method_descriptor_read_directory(wb_descriptor(file), &file->entries, &error), &error);
}

// Sets the file's entry to the one with this number. False at the end, or with an error.
static bool move_to(struct wb_file *file, uint64_t cookie, int32_t *error_number)
{
	wasi_filesystem_types_option_directory_entry_t next;
	wasi_filesystem_types_error_code_t error;

	*error_number = __WASI_ERRNO_SUCCESS;
	if (file->has_entry && file->cookie == cookie)
		return true;
	if (!file->entries.__handle || cookie < file->cookie) {
		*error_number = begin_anew(file);
		if (*error_number)
			return false;
	} else if (file->has_entry) {
		forget_entry(file);
		file->cookie++;
	}
	for (;; file->cookie++) {
		if (!wasi_filesystem_types_method_directory_entry_stream_read_directory_entry(
			    wasi_filesystem_types_borrow_directory_entry_stream(file->entries), &next, &error)) {
			*error_number = wb_file_errno(error);
			return false;
		}
		if (!next.is_some)
			return false;
		if (file->cookie == cookie)
			break;
		wasi_filesystem_types_directory_entry_free(&next.val);
	}
	file->entry = next.val;
	file->has_entry = true;
	return true;
}

static __wasi_inode_t inode_of(const struct wb_file *file, wasm_bpf_string_t *name)
{
	wasi_filesystem_types_metadata_hash_value_t hash;
	wasi_filesystem_types_error_code_t error;

	return wasi_filesystem_types_method_descriptor_metadata_hash_at(wb_descriptor(file), 0, name, &hash, &error) ? hash.lower : 0;
}

int32_t P1(fd_readdir)(int32_t fd, uint8_t *buffer, __wasi_size_t room, int64_t cookie, __wasi_size_t *used)
{
	struct wb_file *file = wb_opened(fd);
	int32_t error;

	if (!file)
		return wb_file_at(fd) ? __WASI_ERRNO_NOTDIR : __WASI_ERRNO_BADF;
	// An entry that is cut says that there are more: it is asked for again.
	for (*used = 0; *used < room; cookie++) {
		__wasi_filetype_t type = __WASI_FILETYPE_DIRECTORY;
		__wasi_size_t rest = room - *used;
		wasm_bpf_string_t name;
		__wasi_dirent_t entry;

		if ((uint64_t)cookie < sizeof(first) / sizeof(first[0])) {
			name = wb_path(first[cookie], cookie + 1);
		} else {
			if (!move_to(file, cookie, &error))
				return error;
			name = file->entry.name;
			type = wb_file_type(file->entry.type);
		}
		memset(&entry, 0, sizeof(entry));
		entry.d_next = cookie + 1;
		entry.d_ino = cookie == 1 ? 0 : inode_of(file, &name);
		entry.d_namlen = name.len;
		entry.d_type = type;
		memcpy(buffer + *used, &entry, rest < sizeof(entry) ? rest : sizeof(entry));
		if (rest > sizeof(entry))
			memcpy(buffer + *used + sizeof(entry), name.ptr, rest - sizeof(entry) < name.len ? rest - sizeof(entry) : name.len);
		if (rest < sizeof(entry) + name.len) {
			*used = room;
			break;
		}
		*used += sizeof(entry) + name.len;
	}
	return __WASI_ERRNO_SUCCESS;
}
