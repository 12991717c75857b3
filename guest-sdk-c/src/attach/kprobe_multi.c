// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <stdlib.h>
#include <string.h>

#include "attach.h"
#include "multi.h"

// Whether a link has exactly one place; a negative errno if the kernel does not tell.
static int is_unique(wasm_bpf_bpf_links_own_link_t link)
{
	wasm_bpf_bpf_links_option_link_info_t info;
	wasm_bpf_bpf_types_error_code_t code;
	int result = -ENOTSUP;

	if (!wasm_bpf_bpf_links_method_link_info(wasm_bpf_bpf_links_borrow_link(link), &info, &code))
		return wb_fail_code(&code);
	if (info.is_some && info.val.details.tag == WASM_BPF_BPF_LINKS_LINK_DETAILS_KPROBE_MULTI)
		result = info.val.details.val.kprobe_multi.count == 1;
	wasm_bpf_bpf_links_option_link_info_free(&info);
	return result;
}

static int demand_unique(struct wb_attaching *it, const char *pattern, int result)
{
	if (result < 0)
		return result;
	result = is_unique(it->link);
	if (result > 0)
		return 0;
	wasm_bpf_bpf_links_link_drop_own(it->link);
	if (result < 0)
		return wb_refuse(-result, "program '%s': the kernel does not tell how many functions '%s' matches", it->name, pattern);
	return wb_refuse(EINVAL, "program '%s': '%s' matches more than one function", it->name, pattern);
}

int wb_attach_kprobe_multi(struct wb_attaching *it, const char *pattern, const struct bpf_kprobe_multi_opts *options)
{
	const char **names = WB_OPTION(options, syms, NULL);
	const __u64 *cookies = WB_OPTION(options, cookies, NULL);
	size_t count = WB_OPTION(options, cnt, 0);
	bool is_return = WB_OPTION(options, retprobe, false), is_session = WB_OPTION(options, session, false);
	bool is_one = WB_OPTION(options, unique_match, false);
	struct wb_multi multi = { .at_return = is_return, .session = is_session, .is_one = is_one, .cookies = cookies, .count = count };
	wasm_bpf_bpf_types_error_t error;
	int result;

	if (WB_OPTION(options, addrs, NULL))
		return wb_refuse(ENOTSUP, "program '%s': an address of the kernel is no place for a guest to name; name functions",
			it->name);
	if (pattern ? names || cookies || count : !names || !count || is_one)
		return wb_refuse(EINVAL, "program '%s': give either a pattern or names of functions and how many", it->name);
	if (is_return && is_session)
		return wb_refuse(EINVAL, "program '%s': a session is at the call and at the return already", it->name);
	result = wb_multi_targets(it, &multi, pattern, names, NULL);
	if (result < 0)
		return result;
	result = wb_multi_options(it, &multi, -1, NULL);
	if (result == 0) {
		result = wb_attached(it, wasm_bpf_bpf_programs_method_program_attach_kprobe_multi(
			it->program, &multi.targets, wasm_bpf_bpf_programs_borrow_probe_options(multi.options), &it->link, &error), &error);
		wasm_bpf_bpf_programs_probe_options_drop_own(multi.options);
	}
	wb_multi_free(&multi);
	return is_one ? demand_unique(it, pattern, result) : result;
}

struct bpf_link *bpf_program__attach_kprobe_multi_opts(const struct bpf_program *prog, const char *pattern,
						       const struct bpf_kprobe_multi_opts *opts)
{
	WB_CALL;
	struct wb_attaching it;

	if (!WB_OPTIONS_VALID(opts, bpf_kprobe_multi_opts))
		return wb_null(-EINVAL);
	if (!wb_attaching(&it, prog))
		return NULL;
	return wb_attach_link(&it, wb_attach_kprobe_multi(&it, pattern, opts));
}
