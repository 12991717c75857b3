// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Functions of the kernel that a program may call with a grant, and without one.
#include "conformance.h"

#include "case.skel.h"

static struct case_bpf *open_with(const char *program)
{
	struct case_bpf *skel = SOME(case_bpf__open());

	OK(bpf_program__set_autoload(SOME(bpf_object__find_program_by_name(skel->obj, program)), true));
	return skel;
}

// With a grant for each of the two functions.
void case_kfunc_allowed(void)
{
	struct case_bpf *skel = open_with("takes_key");

	OK(case_bpf__load(skel));
	holds(skel->obj);
	case_bpf__destroy(skel);
}

// With a grant for one of them: the other is named.
void case_kfunc_denied(void)
{
	struct case_bpf *skel = open_with("takes_key");

	FAILS(case_bpf__load(skel), "not-granted", "takes_key", "kfunc=bpf_lookup_system_key");
	CHECK_STR(wasm_bpf_last_error()->subject, "takes_key");
	// No errno of the kernel, but the one that the library has for it.
	CHECK_EQ(wasm_bpf_last_error()->error_number, EPERM);
	case_bpf__destroy(skel);
}

// Without any.
void case_observing(void)
{
	struct case_bpf *skel = open_with("takes_task");

	OK(case_bpf__load(skel));
	holds(skel->obj);
	case_bpf__destroy(skel);
}
