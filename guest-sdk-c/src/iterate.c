// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <string.h>

#include <bpf/bpf.h>

#include "descriptors.h"
#include "errors.h"
#include "globals.h"

static wasi_io_streams_borrow_input_stream_t stream(void *it)
{
	return wasi_io_streams_borrow_input_stream((wasi_io_streams_own_input_stream_t){ (int32_t)(intptr_t)it });
}

static void release(void *it)
{
	wasi_io_streams_input_stream_drop_own((wasi_io_streams_own_input_stream_t){ (int32_t)(intptr_t)it });
}

static int failed(wasi_io_streams_stream_error_t *error)
{
	wasm_bpf_string_t text;

	if (error->tag == WASI_IO_STREAMS_STREAM_ERROR_CLOSED)
		return 0;
	wasi_io_error_method_error_to_debug_string(wasi_io_error_borrow_error(error->val.last_operation_failed), &text);
	wasi_io_streams_stream_error_free(error);
	wb_warn("an iterator cannot be read: %.*s", (int)text.len, (const char *)text.ptr);
	wasm_bpf_string_free(&text);
	errno = EIO;
	return -EIO;
}

static long read_text(void *it, void *buffer, unsigned long length)
{
	WB_CALL;
	wasi_io_streams_stream_error_t error;
	wasm_bpf_list_u8_t text;

	if (!length)
		return 0;
	// What it writes is there, or it is at its end: nothing here waits for others.
	do {
		if (!wasi_io_streams_method_input_stream_read(stream(it), length, &text, &error))
			return failed(&error);
		if (text.len)
			memcpy(buffer, text.ptr, text.len);
		wasm_bpf_list_u8_free(&text);
	} while (!text.len);
	return text.len;
}

static wasi_io_poll_own_pollable_t subscribe(void *it)
{
	return wasi_io_streams_method_input_stream_subscribe(stream(it));
}

static const struct wb_operations iteration_operations = {
	.kind = WB_ITERATION, .release = release, .read = read_text, .subscribe = subscribe,
};

int bpf_iter_create(int link_fd)
{
	WB_CALL;
	wasm_bpf_bpf_links_borrow_link_t link;
	wasi_io_streams_own_input_stream_t made;
	wasm_bpf_bpf_types_error_t error;
	int fd;

	if (!wb_link_of(link_fd, &link))
		return -errno;
	if (!wasm_bpf_bpf_links_method_link_iterate(link, &made, &error))
		return wb_fail(&error, "start an iterator");
	fd = wb_descriptor_new(&iteration_operations, (void *)(intptr_t)made.__handle);
	if (fd < 0)
		errno = -fd;
	return fd;
}
