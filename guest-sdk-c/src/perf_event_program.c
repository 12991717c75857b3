// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs that ioctl(PERF_EVENT_IOC_SET_BPF) attaches to perf events: they stay until the event is closed. The host gives a link, which
// is kept here.
#include <stdlib.h>

#include "attach/attach.h"
#include "perf_event.h"

struct attached {
	struct attached *next;
	const void *event;
	wasm_bpf_bpf_links_own_link_t link;
};

static struct attached *all;

int wb_perf_event_set_program(const void *event, wasm_bpf_bpf_perf_events_borrow_perf_event_t handle, int program_fd)
{
	struct attached *made = malloc(sizeof(*made));
	struct wb_attaching it;
	wasm_bpf_bpf_types_error_t error;
	int result;

	if (!made)
		return wb_no_memory();
	if (!wb_attaching_fd(&it, program_fd, BPF_PERF_EVENT))
		result = -errno;
	else
		result = wb_attached(&it, wasm_bpf_bpf_programs_method_program_attach_perf_event(it.program, handle, 0, &it.link, &error),
			&error);
	if (result < 0) {
		free(made);
		return result;
	}
	*made = (struct attached){ all, event, it.link };
	all = made;
	return 0;
}

void wb_perf_event_released(const void *event)
{
	struct attached **at = &all, *found;

	while (*at) {
		found = *at;
		if (found->event != event) {
			at = &found->next;
			continue;
		}
		*at = found->next;
		wasm_bpf_bpf_links_link_drop_own(found->link);
		free(found);
	}
}
