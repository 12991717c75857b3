// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "attach.h"
#include "numbers.h"

int wb_attach_netfilter(struct wb_attaching *it, uint32_t family, uint32_t hook, int32_t priority, uint32_t flags)
{
	wasm_bpf_bpf_types_error_t error;

	if (flags & ~WB_NETFILTER_DEFRAGMENT)
		return wb_refuse(EINVAL, "program '%s': flags 0x%x of netfilter are not known", it->name, flags);
	return wb_attached(it, wasm_bpf_bpf_programs_method_program_attach_netfilter(
		it->program, family, hook, priority, flags & WB_NETFILTER_DEFRAGMENT, &it->link, &error), &error);
}

struct bpf_link *bpf_program__attach_netfilter(const struct bpf_program *prog, const struct bpf_netfilter_opts *opts)
{
	WB_CALL;
	struct wb_attaching it;

	if (!WB_OPTIONS_VALID(opts, bpf_netfilter_opts))
		return wb_null(-EINVAL);
	if (!wb_attaching(&it, prog))
		return NULL;
	return wb_attach_link(&it, wb_attach_netfilter(&it, WB_OPTION(opts, pf, 0), WB_OPTION(opts, hooknum, 0),
		WB_OPTION(opts, priority, 0), WB_OPTION(opts, flags, 0)));
}
