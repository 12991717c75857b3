// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What libbpf attaches without giving a link back. The interface gives one, which is kept here until it is detached or the program ends.
#pragma once

#include <stdint.h>

#include "attach.h"

struct wb_attachment {
	struct wb_attachment *next;
	// Where: what these are is told by the file that keeps the list.
	uint64_t target[2];
	uint32_t type, handle, priority;
	uint32_t flags;
	uint32_t program_id;
	int program_fd; // one more number for it: the program may be needed when its own number is closed
	wasm_bpf_bpf_links_own_link_t link;
};

// The kernel's id of a program; a negative errno.
int64_t wb_program_id(wasm_bpf_bpf_programs_borrow_program_t program);

// Keeps what `it` attached, at the list's end, or drops its link: NULL with errno set.
struct wb_attachment *wb_attachment_keep(struct wb_attachment **list, const struct wb_attaching *it, int program_fd);

// Another program has taken this one's place in the link.
int wb_attachment_exchange(struct wb_attachment *attachment, const struct wb_attaching *it, int program_fd);

// Takes it out of the list and, with its link, away.
void wb_attachment_drop(struct wb_attachment **list, struct wb_attachment *attachment);
