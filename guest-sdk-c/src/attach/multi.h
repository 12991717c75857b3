// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Probes at many places at once.
#pragma once

#include "attach.h"

struct wb_multi {
	bool at_return, session;
	bool is_one; // a name is looked for as a pattern, which finds its doubles
	const __u64 *cookies;
	size_t count;
	wasm_bpf_bpf_programs_probe_targets_t targets;
	wasm_bpf_bpf_programs_own_probe_options_t options;
};

// What to attach to, for wb_multi_free: the functions of a pattern, by their names, or offsets. A pattern without * and ? is one name,
// for which no list of the kernel's functions is read.
int wb_multi_targets(const struct wb_attaching *it, struct wb_multi *multi, const char *pattern, const char **names,
		     const unsigned long *offsets);

// The options, which the caller drops.
int wb_multi_options(const struct wb_attaching *it, struct wb_multi *multi, pid_t process, const unsigned long *semaphores);

void wb_multi_free(struct wb_multi *multi);
