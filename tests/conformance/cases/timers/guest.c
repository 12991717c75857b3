// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Timers of BPF programs.
#include <unistd.h>

#include "conformance.h"

#include "case.skel.h"

// The callback may run after the object and the link are gone.
void case_limit(void)
{
	struct case_bpf *skel = SOME(case_bpf__open_and_load());
	int timers;

	OK(case_bpf__attach(skel));
	timers = OK(dup(bpf_map__fd(skel->maps.timers)));
	case_bpf__destroy(skel);
	FAILS_NULL(case_bpf__open_and_load(), "limit-exceeded", "programs");
	OK(close(timers));
	skel = SOME(case_bpf__open_and_load());
	case_bpf__destroy(skel);
}
