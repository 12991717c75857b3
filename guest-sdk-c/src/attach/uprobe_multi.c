// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "attach.h"
#include "multi.h"

int wb_attach_uprobe_multi(struct wb_attaching *it, pid_t process, const char *path, const char *pattern,
			   const struct bpf_uprobe_multi_opts *options)
{
	const char **names = WB_OPTION(options, syms, NULL);
	const unsigned long *offsets = WB_OPTION(options, offsets, NULL), *semaphores = WB_OPTION(options, ref_ctr_offsets, NULL);
	const __u64 *cookies = WB_OPTION(options, cookies, NULL);
	size_t count = WB_OPTION(options, cnt, 0);
	bool is_return = WB_OPTION(options, retprobe, false), is_session = WB_OPTION(options, session, false);
	struct wb_multi multi = { .at_return = is_return, .session = is_session, .cookies = cookies, .count = count };
	wasi_filesystem_types_own_descriptor_t binary;
	wasm_bpf_bpf_types_error_t error;
	int result;

	if (pattern ? names || offsets || semaphores || cookies || count : !names == !offsets || !count)
		return wb_refuse(EINVAL, "program '%s': give a pattern, or else either names of functions or offsets, and how many",
			it->name);
	if (is_return && is_session)
		return wb_refuse(EINVAL, "program '%s': a session is at the call and at the return already", it->name);
	result = wb_open_binary(path, &binary);
	if (result < 0)
		return result;
	result = wb_multi_targets(it, &multi, pattern, names, offsets);
	if (result == 0) {
		result = wb_multi_options(it, &multi, process, semaphores);
		if (result == 0) {
			result = wb_attached(it, wasm_bpf_bpf_programs_method_program_attach_uprobe_multi(
				it->program, wasi_filesystem_types_borrow_descriptor(binary), &multi.targets,
				wasm_bpf_bpf_programs_borrow_probe_options(multi.options), &it->link, &error), &error);
			wasm_bpf_bpf_programs_probe_options_drop_own(multi.options);
		}
		wb_multi_free(&multi);
	}
	wasi_filesystem_types_descriptor_drop_own(binary);
	return result;
}

struct bpf_link *bpf_program__attach_uprobe_multi(const struct bpf_program *prog, pid_t pid, const char *binary_path,
						  const char *func_pattern, const struct bpf_uprobe_multi_opts *opts)
{
	WB_CALL;
	struct wb_attaching it;

	if (!WB_OPTIONS_VALID(opts, bpf_uprobe_multi_opts))
		return wb_null(-EINVAL);
	if (!wb_attaching(&it, prog))
		return NULL;
	return wb_attach_link(&it, wb_attach_uprobe_multi(&it, pid, binary_path, func_pattern, opts));
}
