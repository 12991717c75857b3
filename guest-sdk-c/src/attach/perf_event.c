// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "../descriptors.h"
#include "attach.h"

int wb_attach_perf_event(struct wb_attaching *it, int event_fd, uint64_t cookie)
{
	wasm_bpf_bpf_perf_events_borrow_perf_event_t event;
	wasm_bpf_bpf_types_error_t error;

	if (!wb_perf_event_of(event_fd, &event))
		return wb_refuse(errno, "program '%s': %d is no perf event", it->name, event_fd);
	return wb_attached(it, wasm_bpf_bpf_programs_method_program_attach_perf_event(it->program, event, cookie, &it->link, &error),
		&error);
}

struct bpf_link *bpf_program__attach_perf_event_opts(const struct bpf_program *prog, int pfd, const struct bpf_perf_event_opts *opts)
{
	WB_CALL;
	struct wb_attaching it;
	struct bpf_link *link;

	if (!WB_OPTIONS_VALID(opts, bpf_perf_event_opts))
		return wb_null(-EINVAL);
	if (pfd < 0)
		return wb_null(wb_refuse(EINVAL, "program '%s': %d is no perf event", prog->name, pfd));
	if (!wb_attaching(&it, prog))
		return NULL;
	if (WB_OPTION(opts, force_ioctl_attach, false) || WB_OPTION(opts, dont_enable, false))
		return wb_null(wb_refuse(ENOTSUP, "program '%s': the host attaches to perf events by links where the kernel has them, and "
			"enables them", it.name));
	link = wb_attach_link(&it, wb_attach_perf_event(&it, pfd, WB_OPTION(opts, bpf_cookie, 0)));
	if (link)
		link->event_fd = pfd;
	return link;
}

struct bpf_link *bpf_program__attach_perf_event(const struct bpf_program *prog, int pfd)
{
	return bpf_program__attach_perf_event_opts(prog, pfd, NULL);
}
