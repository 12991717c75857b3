// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <string.h>

#include <bpf/bpf.h>

#include "descriptors.h"
#include "errors.h"
#include "globals.h"
#include "object.h"
#include "options.h"

// Newer than the headers that the library can be built with.
#define ON_CPU (1U << 0)
#define LIVE_FRAMES (1U << 1)
#define CHECKSUM_COMPLETE (1U << 2)

#define MOST (1U << 20) // more than this the host does not give room for

// What goes in, and the room for what comes out.
static bool set(wasm_bpf_bpf_programs_borrow_test_options_t setting, const struct bpf_test_run_opts *opts,
	wasm_bpf_bpf_types_error_t *error)
{
	const void *data = WB_OPTION(opts, data_in, NULL), *context = WB_OPTION(opts, ctx_in, NULL);
	wasm_bpf_list_u8_t data_list = wb_bytes(data, WB_OPTION(opts, data_size_in, 0));
	wasm_bpf_list_u8_t context_list = wb_bytes(context, WB_OPTION(opts, ctx_size_in, 0));
	uint32_t data_room = WB_OPTION(opts, data_size_out, 0), context_room = WB_OPTION(opts, ctx_size_out, 0);

	if (!WB_OPTION(opts, data_out, NULL))
		data_room = 0;
	else if (!data_room)
		data_room = MOST; // the kernel takes it for as much as there is
	return (!data || wasm_bpf_bpf_programs_method_test_options_set_data(setting, &data_list, error)) &&
	       (!context || wasm_bpf_bpf_programs_method_test_options_set_context(setting, &context_list, error)) &&
	       wasm_bpf_bpf_programs_method_test_options_set_data_room(setting, data_room, error) &&
	       wasm_bpf_bpf_programs_method_test_options_set_context_room(setting, context_room, error);
}

static int set_flags(wasm_bpf_bpf_programs_borrow_test_options_t setting, const struct bpf_test_run_opts *opts)
{
	uint32_t flags = WB_OPTION(opts, flags, 0), cpu = WB_OPTION(opts, cpu, 0), batch = WB_OPTION(opts, batch_size, 0);

	if (flags & ~(ON_CPU | LIVE_FRAMES | CHECKSUM_COMPLETE) || (cpu && !(flags & ON_CPU)) || (batch && !(flags & LIVE_FRAMES)))
		return wb_refuse(EINVAL, "flags 0x%x of a test run: one is not known, or a CPU or batch size has no flag for it", flags);
	if (flags & ON_CPU)
		wasm_bpf_bpf_programs_method_test_options_set_cpu(setting, cpu);
	wasm_bpf_bpf_programs_method_test_options_set_live_frames(setting, flags & LIVE_FRAMES);
	wasm_bpf_bpf_programs_method_test_options_set_batch_size(setting, batch);
	wasm_bpf_bpf_programs_method_test_options_set_checksum_complete(setting, flags & CHECKSUM_COMPLETE);
	wasm_bpf_bpf_programs_method_test_options_set_repeat(setting, WB_OPTION(opts, repeat, 0));
	return 0;
}

static void take(struct bpf_test_run_opts *opts, const wasm_bpf_bpf_programs_test_output_t *output)
{
	void *data = WB_OPTION(opts, data_out, NULL), *context = WB_OPTION(opts, ctx_out, NULL);
	const void *context_in = WB_OPTION(opts, ctx_in, NULL);

	// As much as there was room for: the host fails with ENOSPC rather than giving a part.
	if (data && output->data.len)
		memcpy(data, output->data.ptr, output->data.len);
	if (context && output->context.len)
		memcpy(context, output->context.ptr, output->context.len);
	else if (!context && context_in && output->context.len <= opts->ctx_size_in && output->context.len)
		memcpy((void *)context_in, output->context.ptr, output->context.len); // of a syscall program, whatever its type says
	WB_SET_OPTION(opts, data_size_out, output->data.len);
	WB_SET_OPTION(opts, ctx_size_out, context ? output->context.len : 0);
	WB_SET_OPTION(opts, retval, output->return_value);
	WB_SET_OPTION(opts, duration, output->duration_ns);
}

int bpf_prog_test_run_opts(int prog_fd, struct bpf_test_run_opts *opts)
{
	WB_CALL;
	wasm_bpf_bpf_programs_borrow_program_t program;
	wasm_bpf_bpf_programs_own_test_options_t options;
	wasm_bpf_bpf_programs_borrow_test_options_t setting;
	wasm_bpf_bpf_programs_test_output_t output;
	wasm_bpf_bpf_types_error_t error;
	int result;

	if (!WB_OPTIONS_VALID(opts, bpf_test_run_opts))
		return -EINVAL;
	if (!WB_OPTION(opts, ctx_in, NULL) != !WB_OPTION(opts, ctx_size_in, 0) ||
		!WB_OPTION(opts, ctx_out, NULL) != !WB_OPTION(opts, ctx_size_out, 0) ||
	    (!WB_OPTION(opts, data_in, NULL) && WB_OPTION(opts, data_size_in, 0)))
		return wb_refuse(EINVAL, "a test run has data or a context without a size, or a size without");
	if (!wb_program_of(prog_fd, &program))
		return -errno;
	options = wasm_bpf_bpf_programs_constructor_test_options();
	setting = wasm_bpf_bpf_programs_borrow_test_options(options);
	result = set_flags(setting, opts);
	if (result == 0) {
		if (!set(setting, opts, &error) || !wasm_bpf_bpf_programs_method_program_test_run(program, setting, &output, &error)) {
			result = wb_fail(&error, "test run a program");
		} else {
			take(opts, &output);
			wasm_bpf_list_u8_free(&output.data);
			wasm_bpf_list_u8_free(&output.context);
		}
	}
	wasm_bpf_bpf_programs_test_options_drop_own(options);
	return result;
}
