// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs that an object puts into its maps.
#include "conformance.h"

#include "case.skel.h"

// Nobody stores the program, and it is there until it is deleted.
void case_declared(void)
{
	struct case_bpf *skel = SOME(case_bpf__open());
	__u32 key = 3, id;

	skel->rodata->trigger_thread = trigger_thread();
	skel->rodata->trigger_syscall = trigger_syscall();
	OK(case_bpf__load(skel));
	OK(case_bpf__attach(skel));
	OK(bpf_map__lookup_elem(skel->maps.targets, &key, sizeof(key), &id, sizeof(id), 0));
	CHECK_EQ(id, program_id(bpf_program__fd(skel->progs.target)));
	pull(2);
	CHECK_EQ(skel->bss->jumped, 2);
	CHECK_EQ(skel->bss->fell_through, 0);
	OK(bpf_map__delete_elem(skel->maps.targets, &key, sizeof(key), 0));
	pull(1);
	CHECK_EQ(skel->bss->jumped, 2);
	CHECK_EQ(skel->bss->fell_through, 1);
	case_bpf__destroy(skel);
}
