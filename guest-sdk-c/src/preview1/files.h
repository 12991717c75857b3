// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What wasi-libc is made of: the functions of WASI preview 1, by the interfaces of WASI 0.2. Without them a component carries an adapter
// for all of preview 1; of these it has what it uses.
//
// They have the names by which wasi-libc imports them, so that the linker finds them before it makes an import. Their results are errors
// of preview 1.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <wasi/api.h>

#include "wasm_bpf.h"

// A function of preview 1. Pointers and sizes are numbers of 32 bits, as wasi-libc passes them.
#define P1(name) __imported_wasi_snapshot_preview1_##name

enum wb_file_kind {
	WB_FILE_FREE,
	WB_FILE_INPUT,
	WB_FILE_OUTPUT,
	WB_FILE_OPEN, // by a path, or given to the guest
};

struct wb_file {
	enum wb_file_kind kind;
	__wasi_fdflags_t flags;
	// The stream of INPUT and OUTPUT, once it is used; of OPEN that at its end, once it is written to with APPEND, and that of a file without
	// places, once it is read.
	wasi_io_streams_own_input_stream_t input;
	wasi_io_streams_own_output_stream_t output;
	wasi_filesystem_types_own_descriptor_t descriptor;
	uint64_t offset;
	// The name of a folder that the guest was given.
	char *given;
	// A folder that is read: the number of the entry that comes next, which may be there already.
	wasi_filesystem_types_own_directory_entry_stream_t entries;
	uint64_t cookie;
	wasi_filesystem_types_directory_entry_t entry;
	bool has_entry;
};

// The file of a number; NULL: BADF.
struct wb_file *wb_file_at(int fd);

// A new file of this kind, which the caller fills in, with the lowest number that is free; NULL if there is no memory.
struct wb_file *wb_file_new(enum wb_file_kind kind, int *fd);

// Whether it is one that was opened; NULL otherwise.
struct wb_file *wb_opened(int fd);

// The streams of INPUT (and of an OPEN that has one), and of OUTPUT, whose number says which it is.
wasi_io_streams_borrow_input_stream_t wb_input_of(struct wb_file *file);
wasi_io_streams_borrow_output_stream_t wb_output_of(struct wb_file *file, int fd);

static inline wasi_filesystem_types_borrow_descriptor_t wb_descriptor(const struct wb_file *file)
{
	return wasi_filesystem_types_borrow_descriptor(file->descriptor);
}

// Errors of files, and of streams, whose error it frees. A stream that is at its end is PIPE.
int32_t wb_file_errno(wasi_filesystem_types_error_code_t code);
int32_t wb_stream_errno(wasi_io_streams_stream_error_t *error);

// 0 or the error.
static inline int32_t wb_done(bool done, const wasi_filesystem_types_error_code_t *error)
{
	return done ? __WASI_ERRNO_SUCCESS : wb_file_errno(*error);
}

__wasi_filetype_t wb_file_type(wasi_filesystem_types_descriptor_type_t type);

// Text of the interface, which is not copied.
static inline wasm_bpf_string_t wb_path(const char *path, __wasi_size_t length)
{
	return (wasm_bpf_string_t){ (uint8_t *)path, length };
}
