// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading and writing.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "waits/stop.h"

int32_t wb_stream_errno(wasi_io_streams_stream_error_t *error)
{
	wasi_filesystem_types_error_code_t code;
	wasi_filesystem_types_borrow_error_t failed;
	int32_t number = __WASI_ERRNO_IO;

	if (error->tag == WASI_IO_STREAMS_STREAM_ERROR_CLOSED)
		return __WASI_ERRNO_PIPE;
	failed.__handle = error->val.last_operation_failed.__handle;
	if (wasi_filesystem_types_filesystem_error_code(failed, &code))
		number = wb_file_errno(code);
	wasi_io_error_error_drop_own(error->val.last_operation_failed);
	return number;
}

static uint64_t length_of(const __wasi_ciovec_t *parts, int32_t count)
{
	uint64_t length = 0;

	for (int32_t i = 0; i < count; i++)
		length += parts[i].buf_len;
	return length;
}

// Hands out what was read, which is not more than the parts can take, and frees it.
static __wasi_size_t scatter(wasm_bpf_list_u8_t *data, const __wasi_iovec_t *parts, int32_t count)
{
	size_t at = 0;

	for (int32_t i = 0; i < count && at < data->len; i++) {
		size_t some = data->len - at < parts[i].buf_len ? data->len - at : parts[i].buf_len;

		memcpy(parts[i].buf, data->ptr + at, some);
		at += some;
	}
	wasm_bpf_list_u8_free(data);
	return at;
}

static int32_t read_file(const struct wb_file *file, const __wasi_iovec_t *parts, int32_t count, uint64_t offset, __wasi_size_t *got)
{
	wasi_filesystem_types_error_code_t error;
	uint64_t length = length_of((const __wasi_ciovec_t *)parts, count);
	wasm_bpf_tuple2_list_u8_bool_t data;

	if (!wasi_filesystem_types_method_descriptor_read(wb_descriptor(file), length, offset, &data, &error))
		return wb_file_errno(error);
	*got = scatter(&data.f0, parts, count);
	return __WASI_ERRNO_SUCCESS;
}

wasi_io_streams_borrow_input_stream_t wb_input_of(struct wb_file *file)
{
	if (!file->input.__handle)
		file->input = wasi_cli_stdin_get_stdin();
	return wasi_io_streams_borrow_input_stream(file->input);
}

wasi_io_streams_borrow_output_stream_t wb_output_of(struct wb_file *file, int fd)
{
	if (!file->output.__handle)
		file->output = fd == 1 ? wasi_cli_stdout_get_stdout() : wasi_cli_stderr_get_stderr();
	return wasi_io_streams_borrow_output_stream(file->output);
}

// Waits for a stream in the way of the library, which knows of signals. INTR when a handler ran, unless what it interrupts is to go on.
static int32_t wait_for(wasi_io_poll_own_pollable_t own)
{
	wasi_io_poll_borrow_pollable_t handle = wasi_io_poll_borrow_pollable(own);
	int64_t waited = wb_wait(&handle, 1, -1);

	wasi_io_poll_pollable_drop_own(own);
	return waited == -EINTR && !wb_stop_restarts() ? __WASI_ERRNO_INTR : __WASI_ERRNO_SUCCESS;
}

static int32_t read_input(struct wb_file *file, const __wasi_iovec_t *parts, int32_t count, __wasi_size_t *got)
{
	const bool waits = !(file->flags & __WASI_FDFLAGS_NONBLOCK);
	uint64_t length = length_of((const __wasi_ciovec_t *)parts, count);
	const wasi_io_streams_borrow_input_stream_t stream = wb_input_of(file);
	wasi_io_streams_stream_error_t error;
	wasm_bpf_list_u8_t data;
	int32_t interrupted;

	*got = 0;
	if (!length)
		return __WASI_ERRNO_SUCCESS;
	for (;;) {
		if (!wasi_io_streams_method_input_stream_read(stream, length, &data, &error))
			return error.tag == WASI_IO_STREAMS_STREAM_ERROR_CLOSED ? __WASI_ERRNO_SUCCESS : wb_stream_errno(&error);
		if (data.len)
			break;
		if (!waits)
			return __WASI_ERRNO_AGAIN;
		interrupted = wait_for(wasi_io_streams_method_input_stream_subscribe(stream));
		if (interrupted)
			return interrupted;
	}
	*got = scatter(&data, parts, count);
	return __WASI_ERRNO_SUCCESS;
}

int32_t P1(fd_read)(int32_t fd, const __wasi_iovec_t *parts, int32_t count, __wasi_size_t *got)
{
	struct wb_file *file = wb_file_at(fd);
	wasi_filesystem_types_error_code_t code;
	int32_t error;

	if (!file || file->kind == WB_FILE_OUTPUT)
		return __WASI_ERRNO_BADF;
	if (file->kind == WB_FILE_INPUT || file->input.__handle)
		return read_input(file, parts, count, got);
	error = read_file(file, parts, count, file->offset, got);
	if (!error)
		file->offset += *got;
	// A file that has no places, such as trace_pipe, is read as it comes.
	if (error == __WASI_ERRNO_SPIPE &&
	    wasi_filesystem_types_method_descriptor_read_via_stream(wb_descriptor(file), 0, &file->input, &code))
		return read_input(file, parts, count, got);
	return error;
}

int32_t P1(fd_pread)(int32_t fd, const __wasi_iovec_t *parts, int32_t count, int64_t offset, __wasi_size_t *got)
{
	const struct wb_file *file = wb_file_at(fd);

	if (!file)
		return __WASI_ERRNO_BADF;
	return file->kind == WB_FILE_OPEN ? read_file(file, parts, count, offset, got) : __WASI_ERRNO_SPIPE;
}

// More than this a stream does not take at once.
#define MOST 4096

// Writes some of it to a stream: what it takes now, or once that is something.
static int32_t write_some(const struct wb_file *file, wasi_io_streams_borrow_output_stream_t stream, wasm_bpf_list_u8_t *some)
{
	const bool was_known = wb_stop_is_known();
	wasi_io_streams_stream_error_t error;
	uint64_t room;
	int32_t number;

	for (;;) {
		if (!wasi_io_streams_method_output_stream_check_write(stream, &room, &error))
			return wb_stream_errno(&error);
		if (room)
			break;
		if (file->flags & __WASI_FDFLAGS_NONBLOCK)
			return __WASI_ERRNO_AGAIN;
		number = wait_for(wasi_io_streams_method_output_stream_subscribe(stream));
		if (number)
			return number;
	}
	if (some->len > room)
		some->len = room;
	if (wasi_io_streams_method_output_stream_blocking_write_and_flush(stream, some, &error))
		return __WASI_ERRNO_SUCCESS;
	number = wb_stream_errno(&error);
	// All of it was taken. What the request to stop ended was the wait for room for more.
	return !was_known && wasm_bpf_bpf_lifecycle_stop_requested() ? __WASI_ERRNO_SUCCESS : number;
}

static int32_t write_stream(const struct wb_file *file, wasi_io_streams_borrow_output_stream_t stream, const __wasi_ciovec_t *parts,
			    int32_t count, __wasi_size_t *written)
{
	*written = 0;
	for (int32_t i = 0; i < count; i++) {
		for (size_t at = 0; at < parts[i].buf_len;) {
			size_t rest = parts[i].buf_len - at;
			wasm_bpf_list_u8_t some = { (uint8_t *)parts[i].buf + at, rest < MOST ? rest : MOST };
			int32_t error = write_some(file, stream, &some);

			// What was written before counts.
			if (error)
				return *written ? __WASI_ERRNO_SUCCESS : error;
			at += some.len;
			*written += some.len;
		}
	}
	return __WASI_ERRNO_SUCCESS;
}

static int32_t write_file(const struct wb_file *file, const __wasi_ciovec_t *parts, int32_t count, uint64_t offset, __wasi_size_t *written)
{
	wasi_filesystem_types_error_code_t error;

	*written = 0;
	for (int32_t i = 0; i < count; i++) {
		wasm_bpf_list_u8_t data = { (uint8_t *)parts[i].buf, parts[i].buf_len };
		wasi_filesystem_types_filesize_t some;

		if (!data.len)
			continue;
		if (!wasi_filesystem_types_method_descriptor_write(wb_descriptor(file), &data, offset + *written, &some, &error))
			return *written ? __WASI_ERRNO_SUCCESS : wb_file_errno(error);
		*written += some;
		if (some < data.len)
			break;
	}
	return __WASI_ERRNO_SUCCESS;
}

static int32_t append(struct wb_file *file, const __wasi_ciovec_t *parts, int32_t count, __wasi_size_t *written)
{
	wasi_filesystem_types_error_code_t error;

	if (!file->output.__handle &&
	    !wasi_filesystem_types_method_descriptor_append_via_stream(wb_descriptor(file), &file->output, &error))
		return wb_file_errno(error);
	return write_stream(file, wasi_io_streams_borrow_output_stream(file->output), parts, count, written);
}

int32_t P1(fd_write)(int32_t fd, const __wasi_ciovec_t *parts, int32_t count, __wasi_size_t *written)
{
	struct wb_file *file = wb_file_at(fd);
	int32_t error;

	if (!file || file->kind == WB_FILE_INPUT)
		return __WASI_ERRNO_BADF;
	if (file->kind == WB_FILE_OUTPUT)
		return write_stream(file, wb_output_of(file, fd), parts, count, written);
	if (file->flags & __WASI_FDFLAGS_APPEND)
		return append(file, parts, count, written);
	error = write_file(file, parts, count, file->offset, written);
	if (!error)
		file->offset += *written;
	return error;
}

int32_t P1(fd_pwrite)(int32_t fd, const __wasi_ciovec_t *parts, int32_t count, int64_t offset, __wasi_size_t *written)
{
	const struct wb_file *file = wb_file_at(fd);

	if (!file)
		return __WASI_ERRNO_BADF;
	return file->kind == WB_FILE_OPEN ? write_file(file, parts, count, offset, written) : __WASI_ERRNO_SPIPE;
}

int32_t P1(fd_seek)(int32_t fd, int64_t offset, int32_t whence, __wasi_filesize_t *now)
{
	struct wb_file *file = wb_file_at(fd);
	wasi_filesystem_types_error_code_t error;
	wasi_filesystem_types_descriptor_stat_t about;
	int64_t from = 0;

	if (!file)
		return __WASI_ERRNO_BADF;
	if (file->kind != WB_FILE_OPEN)
		return __WASI_ERRNO_SPIPE;
	if (whence == __WASI_WHENCE_CUR) {
		from = file->offset;
	} else if (whence == __WASI_WHENCE_END) {
		if (!wasi_filesystem_types_method_descriptor_stat(wb_descriptor(file), &about, &error))
			return wb_file_errno(error);
		from = about.size;
	} else if (whence != __WASI_WHENCE_SET) {
		return __WASI_ERRNO_INVAL;
	}
	if (__builtin_add_overflow(from, offset, &from) || from < 0)
		return __WASI_ERRNO_INVAL;
	file->offset = from;
	*now = from;
	return __WASI_ERRNO_SUCCESS;
}

int32_t P1(fd_tell)(int32_t fd, __wasi_filesize_t *now)
{
	return P1(fd_seek)(fd, 0, __WASI_WHENCE_CUR, now);
}
