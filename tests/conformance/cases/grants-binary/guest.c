// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Files of the host that probes may be put on with a grant.
#include "conformance.h"

#include "case.skel.h"

// The object with this program, and the first one.
static struct case_bpf *load(const char *program)
{
	struct case_bpf *skel = SOME(case_bpf__open());

	OK(bpf_program__set_autoload(SOME(bpf_object__find_program_by_name(skel->obj, program)), true));
	OK(case_bpf__load(skel));
	return skel;
}

// The program sees the calls of the file's function while it is attached, and no others.
void case_binary_allowed(void)
{
	struct case_bpf *skel = load("on_call");
	struct bpf_link *link;

	call_target(2);
	CHECK_EQ(skel->bss->calls, 0);
	link = SOME(bpf_program__attach(skel->progs.on_call));
	call_target(3);
	CHECK_EQ(skel->bss->calls, 3);
	OK(bpf_link__destroy(link));
	call_target(4);
	CHECK_EQ(skel->bss->calls, 3);
	case_bpf__destroy(skel);
}

// But a path that leaves the folder on its way is not in it.
void case_binary_of_a_folder(void)
{
	struct case_bpf *skel = load("climbs");
	struct bpf_link *link = SOME(bpf_program__attach(skel->progs.on_call));

	call_target(1);
	CHECK_EQ(skel->bss->calls, 1);
	FAILS_NULL(bpf_program__attach(skel->progs.climbs), "not-granted", "climbs");
	OK(bpf_link__destroy(link));
	case_bpf__destroy(skel);
}

// Loading touches no file: attaching is what needs the grant.
void case_binary_denied(void)
{
	struct case_bpf *skel = load("on_call");

	FAILS_NULL(bpf_program__attach(skel->progs.on_call), "not-granted", "on_call", "binary", "/run/wasm-bpf-conformance/target");
	CHECK_STR(wasm_bpf_last_error()->subject, "on_call");
	call_target(1);
	CHECK_EQ(skel->bss->calls, 0);
	case_bpf__destroy(skel);
}

// Where such a file is would depend on the host's surroundings.
void case_relative_path(void)
{
	struct case_bpf *skel = load("without_folder");

	FAILS_NULL(bpf_program__attach(skel->progs.without_folder), "invalid-argument", "without_folder");
	case_bpf__destroy(skel);
}
