// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <string.h>

#include <bpf/bpf.h>

#include "descriptors.h"
#include "errors.h"
#include "globals.h"
#include "options.h"

int bpf_prog_stream_read(int prog_fd, __u32 stream_id, void *buf, __u32 buf_len, struct bpf_prog_stream_read_opts *opts)
{
	WB_CALL;
	wasm_bpf_bpf_programs_program_stream_t stream = { .tag = WASM_BPF_BPF_PROGRAMS_PROGRAM_STREAM_OTHER, .val.other = stream_id };
	wasm_bpf_bpf_programs_borrow_program_t program;
	wasm_bpf_bpf_types_error_code_t code;
	wasm_bpf_list_u8_t text;

	if (!WB_OPTIONS_VALID(opts, bpf_prog_stream_read_opts))
		return -EINVAL;
	if (!wb_program_of(prog_fd, &program))
		return -errno;
	if (stream_id == 1 || stream_id == 2)
		stream.tag = stream_id - 1;
	if (!wasm_bpf_bpf_programs_method_program_read_stream(program, &stream, buf_len, &text, &code))
		return wb_fail_code(&code);
	if (text.len)
		memcpy(buf, text.ptr, text.len);
	wasm_bpf_list_u8_free(&text);
	return text.len;
}
