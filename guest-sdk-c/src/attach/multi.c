// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "multi.h"

#include <stdlib.h>
#include <string.h>

int wb_multi_targets(const struct wb_attaching *it, struct wb_multi *multi, const char *pattern, const char **names,
		     const unsigned long *offsets)
{
	wasm_bpf_bpf_programs_probe_targets_t *targets = &multi->targets;
	size_t count = pattern ? 1 : multi->count;
	wasm_bpf_list_string_t *functions = &targets->val.functions;

	if (pattern && (multi->is_one || strpbrk(pattern, "*?"))) {
		targets->tag = WASM_BPF_BPF_PROGRAMS_PROBE_TARGETS_PATTERN;
		targets->val.pattern = wb_string(pattern);
		return 0;
	}
	if (offsets) {
		targets->tag = WASM_BPF_BPF_PROGRAMS_PROBE_TARGETS_OFFSETS;
		return wb_offsets(offsets, count, &targets->val.offsets) ? 0 : wb_no_memory();
	}
	if (pattern)
		names = &pattern;
	targets->tag = WASM_BPF_BPF_PROGRAMS_PROBE_TARGETS_FUNCTIONS;
	functions->len = count;
	functions->ptr = calloc(count, sizeof(*functions->ptr));
	if (!functions->ptr)
		return wb_no_memory();
	for (size_t i = 0; i < count; i++) {
		if (!names[i]) {
			wb_multi_free(multi);
			return wb_refuse(EINVAL, "program '%s': function %zu of %zu has no name", it->name, i, count);
		}
		functions->ptr[i] = wb_string(names[i]);
	}
	return 0;
}

int wb_multi_options(const struct wb_attaching *it, struct wb_multi *multi, pid_t process, const unsigned long *semaphores)
{
	wasm_bpf_bpf_programs_borrow_probe_options_t setting;
	wasm_bpf_list_u64_t list;
	int result = wb_probe_options(it, process, &multi->options);

	if (result < 0)
		return result;
	setting = wasm_bpf_bpf_programs_borrow_probe_options(multi->options);
	wasm_bpf_bpf_programs_method_probe_options_set_at_return(setting, multi->at_return);
	wasm_bpf_bpf_programs_method_probe_options_set_session(setting, multi->session);
	if (multi->cookies) {
		list = (wasm_bpf_list_u64_t){ (uint64_t *)multi->cookies, multi->count };
		wasm_bpf_bpf_programs_method_probe_options_set_cookies(setting, &list);
	}
	if (!semaphores)
		return 0;
	if (!wb_offsets(semaphores, multi->count, &list)) {
		wasm_bpf_bpf_programs_probe_options_drop_own(multi->options);
		return wb_no_memory();
	}
	wasm_bpf_bpf_programs_method_probe_options_set_semaphore_offsets(setting, &list);
	free(list.ptr);
	return 0;
}

void wb_multi_free(struct wb_multi *multi)
{
	// What the names point at is the caller's.
	if (multi->targets.tag == WASM_BPF_BPF_PROGRAMS_PROBE_TARGETS_FUNCTIONS)
		free(multi->targets.val.functions.ptr);
	else if (multi->targets.tag == WASM_BPF_BPF_PROGRAMS_PROBE_TARGETS_OFFSETS)
		free(multi->targets.val.offsets.ptr);
}
