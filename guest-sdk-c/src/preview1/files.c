// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Numbers of files, which wasi-libc gives to programs as they are.
#include "files.h"

#include <stdlib.h>
#include <string.h>

#include "../object.h"

static struct wb_file *files;
static int count;

struct wb_file *wb_file_new(enum wb_file_kind kind, int *number)
{
	struct wb_file *larger;
	int fd;

	for (fd = 0; fd < count; fd++) {
		if (files[fd].kind == WB_FILE_FREE)
			break;
	}
	if (fd == count) {
		larger = realloc(files, (count + 8) * sizeof(*files));
		if (!larger)
			return NULL;
		files = larger;
		memset(files + count, 0, 8 * sizeof(*files));
		count += 8;
	}
	files[fd] = (struct wb_file){ .kind = kind };
	*number = fd;
	return &files[fd];
}

// The three streams, and the folders that the guest was given.
static void begin(void)
{
	wasi_filesystem_preopens_list_tuple2_own_descriptor_string_t folders;
	struct wb_file *file;
	int fd;

	for (int i = 0; i < 3; i++) {
		if (!wb_file_new(i ? WB_FILE_OUTPUT : WB_FILE_INPUT, &fd))
			abort();
	}
	wasi_filesystem_preopens_get_directories(&folders);
	for (size_t i = 0; i < folders.len; i++) {
		file = wb_file_new(WB_FILE_OPEN, &fd);
		if (!file)
			abort();
		file->descriptor = folders.ptr[i].f0;
		file->given = wb_take_string(&folders.ptr[i].f1);
	}
	if (folders.len)
		free(folders.ptr);
}

struct wb_file *wb_file_at(int fd)
{
	if (!count)
		begin();
	return fd >= 0 && fd < count && files[fd].kind != WB_FILE_FREE ? &files[fd] : NULL;
}

struct wb_file *wb_opened(int fd)
{
	struct wb_file *file = wb_file_at(fd);

	return file && file->kind == WB_FILE_OPEN ? file : NULL;
}

int32_t wb_file_errno(wasi_filesystem_types_error_code_t code)
{
	static const uint8_t numbers[] = {
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_ACCESS] = __WASI_ERRNO_ACCES,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_WOULD_BLOCK] = __WASI_ERRNO_AGAIN,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_ALREADY] = __WASI_ERRNO_ALREADY,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_BAD_DESCRIPTOR] = __WASI_ERRNO_BADF,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_BUSY] = __WASI_ERRNO_BUSY,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_DEADLOCK] = __WASI_ERRNO_DEADLK,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_QUOTA] = __WASI_ERRNO_DQUOT,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_EXIST] = __WASI_ERRNO_EXIST,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_FILE_TOO_LARGE] = __WASI_ERRNO_FBIG,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_ILLEGAL_BYTE_SEQUENCE] = __WASI_ERRNO_ILSEQ,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_IN_PROGRESS] = __WASI_ERRNO_INPROGRESS,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_INTERRUPTED] = __WASI_ERRNO_INTR,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_INVALID] = __WASI_ERRNO_INVAL,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_IO] = __WASI_ERRNO_IO,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_IS_DIRECTORY] = __WASI_ERRNO_ISDIR,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_LOOP] = __WASI_ERRNO_LOOP,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_TOO_MANY_LINKS] = __WASI_ERRNO_MLINK,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_MESSAGE_SIZE] = __WASI_ERRNO_MSGSIZE,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_NAME_TOO_LONG] = __WASI_ERRNO_NAMETOOLONG,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_NO_DEVICE] = __WASI_ERRNO_NODEV,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_NO_ENTRY] = __WASI_ERRNO_NOENT,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_NO_LOCK] = __WASI_ERRNO_NOLCK,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_INSUFFICIENT_MEMORY] = __WASI_ERRNO_NOMEM,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_INSUFFICIENT_SPACE] = __WASI_ERRNO_NOSPC,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_NOT_DIRECTORY] = __WASI_ERRNO_NOTDIR,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_NOT_EMPTY] = __WASI_ERRNO_NOTEMPTY,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_NOT_RECOVERABLE] = __WASI_ERRNO_NOTRECOVERABLE,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_UNSUPPORTED] = __WASI_ERRNO_NOTSUP,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_NO_TTY] = __WASI_ERRNO_NOTTY,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_NO_SUCH_DEVICE] = __WASI_ERRNO_NXIO,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_OVERFLOW] = __WASI_ERRNO_OVERFLOW,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_NOT_PERMITTED] = __WASI_ERRNO_PERM,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_PIPE] = __WASI_ERRNO_PIPE,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_READ_ONLY] = __WASI_ERRNO_ROFS,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_INVALID_SEEK] = __WASI_ERRNO_SPIPE,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_TEXT_FILE_BUSY] = __WASI_ERRNO_TXTBSY,
		[WASI_FILESYSTEM_TYPES_ERROR_CODE_CROSS_DEVICE] = __WASI_ERRNO_XDEV,
	};

	return code < sizeof(numbers) ? numbers[code] : __WASI_ERRNO_IO;
}

__wasi_filetype_t wb_file_type(wasi_filesystem_types_descriptor_type_t type)
{
	switch (type) {
	case WASI_FILESYSTEM_TYPES_DESCRIPTOR_TYPE_BLOCK_DEVICE:
		return __WASI_FILETYPE_BLOCK_DEVICE;
	case WASI_FILESYSTEM_TYPES_DESCRIPTOR_TYPE_CHARACTER_DEVICE:
		return __WASI_FILETYPE_CHARACTER_DEVICE;
	case WASI_FILESYSTEM_TYPES_DESCRIPTOR_TYPE_DIRECTORY:
		return __WASI_FILETYPE_DIRECTORY;
	case WASI_FILESYSTEM_TYPES_DESCRIPTOR_TYPE_SYMBOLIC_LINK:
		return __WASI_FILETYPE_SYMBOLIC_LINK;
	case WASI_FILESYSTEM_TYPES_DESCRIPTOR_TYPE_REGULAR_FILE:
		return __WASI_FILETYPE_REGULAR_FILE;
	case WASI_FILESYSTEM_TYPES_DESCRIPTOR_TYPE_SOCKET:
		return __WASI_FILETYPE_SOCKET_STREAM;
	default:
		return __WASI_FILETYPE_UNKNOWN;
	}
}

static void forget_entries(struct wb_file *file)
{
	if (file->has_entry)
		wasi_filesystem_types_directory_entry_free(&file->entry);
	if (file->entries.__handle)
		wasi_filesystem_types_directory_entry_stream_drop_own(file->entries);
}

int32_t P1(fd_close)(int32_t fd)
{
	struct wb_file *file = wb_file_at(fd);

	if (!file)
		return __WASI_ERRNO_BADF;
	forget_entries(file);
	if (file->input.__handle)
		wasi_io_streams_input_stream_drop_own(file->input);
	if (file->output.__handle)
		wasi_io_streams_output_stream_drop_own(file->output);
	if (file->descriptor.__handle)
		wasi_filesystem_types_descriptor_drop_own(file->descriptor);
	free(file->given);
	file->kind = WB_FILE_FREE;
	return __WASI_ERRNO_SUCCESS;
}

int32_t P1(fd_renumber)(int32_t from, int32_t to)
{
	struct wb_file *file = wb_file_at(from);
	int32_t result;

	if (!file || !wb_file_at(to))
		return __WASI_ERRNO_BADF;
	if (from == to)
		return __WASI_ERRNO_SUCCESS;
	result = P1(fd_close)(to);
	files[to] = *file;
	file->kind = WB_FILE_FREE;
	return result;
}

int32_t P1(fd_prestat_get)(int32_t fd, __wasi_prestat_t *about)
{
	const struct wb_file *file = wb_file_at(fd);

	if (!file || !file->given)
		return __WASI_ERRNO_BADF;
	about->tag = __WASI_PREOPENTYPE_DIR;
	about->u.dir.pr_name_len = strlen(file->given);
	return __WASI_ERRNO_SUCCESS;
}

int32_t P1(fd_prestat_dir_name)(int32_t fd, char *name, __wasi_size_t length)
{
	const struct wb_file *file = wb_file_at(fd);

	if (!file || !file->given)
		return __WASI_ERRNO_BADF;
	if (length < strlen(file->given))
		return __WASI_ERRNO_NAMETOOLONG;
	memcpy(name, file->given, strlen(file->given));
	return __WASI_ERRNO_SUCCESS;
}

static bool is_terminal(int fd)
{
	wasi_cli_terminal_stdout_own_terminal_output_t output;
	wasi_cli_terminal_stdin_own_terminal_input_t input;
	bool is_one;

	if (!fd) {
		is_one = wasi_cli_terminal_stdin_get_terminal_stdin(&input);
		if (is_one)
			wasi_cli_terminal_input_terminal_input_drop_own(input);
		return is_one;
	}
	is_one = fd == 1 ? wasi_cli_terminal_stdout_get_terminal_stdout(&output) : wasi_cli_terminal_stderr_get_terminal_stderr(&output);
	if (is_one)
		wasi_cli_terminal_output_terminal_output_drop_own(output);
	return is_one;
}

int32_t P1(fd_fdstat_get)(int32_t fd, __wasi_fdstat_t *about)
{
	const struct wb_file *file = wb_file_at(fd);
	wasi_filesystem_types_descriptor_flags_t flags;
	wasi_filesystem_types_descriptor_type_t type;
	wasi_filesystem_types_error_code_t error;

	if (!file)
		return __WASI_ERRNO_BADF;
	memset(about, 0, sizeof(*about));
	about->fs_flags = file->flags;
	if (file->kind != WB_FILE_OPEN) {
		// What cannot be sought is a terminal for wasi-libc, if it is a device.
		about->fs_filetype = is_terminal(fd) ? __WASI_FILETYPE_CHARACTER_DEVICE : __WASI_FILETYPE_UNKNOWN;
		about->fs_rights_base = __WASI_RIGHTS_POLL_FD_READWRITE |
					(file->kind == WB_FILE_INPUT ? __WASI_RIGHTS_FD_READ : __WASI_RIGHTS_FD_WRITE);
		return __WASI_ERRNO_SUCCESS;
	}
	if (!wasi_filesystem_types_method_descriptor_get_type(wb_descriptor(file), &type, &error) ||
	    !wasi_filesystem_types_method_descriptor_get_flags(wb_descriptor(file), &flags, &error))
		return wb_file_errno(error);
	about->fs_filetype = wb_file_type(type);
	about->fs_rights_base = about->fs_rights_inheriting = ~0ULL;
	if (!(flags & WASI_FILESYSTEM_TYPES_DESCRIPTOR_FLAGS_READ))
		about->fs_rights_base &= ~(__WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_READDIR);
	if (!(flags & WASI_FILESYSTEM_TYPES_DESCRIPTOR_FLAGS_WRITE))
		about->fs_rights_base &= ~__WASI_RIGHTS_FD_WRITE;
	return __WASI_ERRNO_SUCCESS;
}

int32_t P1(fd_fdstat_set_flags)(int32_t fd, int32_t flags)
{
	struct wb_file *file = wb_file_at(fd);
	const int32_t changed = __WASI_FDFLAGS_APPEND | __WASI_FDFLAGS_NONBLOCK;

	if (!file)
		return __WASI_ERRNO_BADF;
	if ((flags ^ file->flags) & ~changed)
		return __WASI_ERRNO_INVAL;
	file->flags = flags;
	return __WASI_ERRNO_SUCCESS;
}

int32_t P1(fd_fdstat_set_rights)(int32_t fd, int64_t base, int64_t inheriting)
{
	(void)base;
	(void)inheriting;
	return wb_file_at(fd) ? __WASI_ERRNO_NOTSUP : __WASI_ERRNO_BADF;
}
