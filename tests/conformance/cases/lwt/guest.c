// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs on routes.
#include "conformance.h"

#include <net/if.h>

#include "case.skel.h"

static enum bpf_prog_type type_of(const struct bpf_program *program)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	OK(bpf_prog_get_info_by_fd(bpf_program__fd(program), &info, &size));
	return info.type;
}

// All four kinds.
void case_loads(void)
{
	struct case_bpf *skel = SOME(case_bpf__open_and_load());
	struct bpf_program *program;
	int interface = if_nametoindex("wb0");

	CHECK(interface > 0);
	holds(skel->obj);
	CHECK_EQ(type_of(skel->progs.on_in), BPF_PROG_TYPE_LWT_IN);
	CHECK_EQ(type_of(skel->progs.on_out), BPF_PROG_TYPE_LWT_OUT);
	CHECK_EQ(type_of(skel->progs.on_xmit), BPF_PROG_TYPE_LWT_XMIT);
	CHECK_EQ(type_of(skel->progs.on_seg6local), BPF_PROG_TYPE_LWT_SEG6LOCAL);
	bpf_object__for_each_program(program, skel->obj) {
		const char *name = bpf_program__name(program);
		wasm_bpf_bpf_programs_borrow_program_t handle = raw_program(bpf_program__fd(program));
		LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = interface, .attach_point = BPF_TC_INGRESS);
		LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = bpf_program__fd(program));
		wasm_bpf_bpf_programs_option_own_link_t link;
		wasm_bpf_bpf_programs_own_link_t of_namespace;
		wasm_bpf_bpf_programs_error_t error;

		// The section names no target.
		CHECK(wasm_bpf_bpf_programs_method_program_attach(handle, &link, &error));
		CHECK(!link.is_some);
		FAILS(bpf_tc_attach(&hook, &opts), "invalid-argument", name);
		FAILS_NULL(bpf_program__attach_tcx(program, interface, NULL), "invalid-argument", name);
		FAILS_ERROR(wasm_bpf_bpf_programs_method_program_attach_netns(handle, NULL, &of_namespace, &error), error, "invalid-argument", name);
	}
	has_no_qdisc();
	case_bpf__destroy(skel);
}

// Runs a program on a packet: 0 and its answer, or a negative errno.
static int run(const struct case_bpf *skel, const struct bpf_program *program, __u32 *verdict)
{
	// Ethernet with IPv4, which is all that the kernel looks at.
	static const __u8 packet[64] = { [12] = 8, [14] = 0x45 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));
	__u64 before = skel->bss->runs;
	int err = bpf_prog_test_run_opts(bpf_program__fd(program), &opts);

	if (err < 0)
		return err;
	CHECK_EQ(skel->bss->runs, before + 1);
	*verdict = opts.retval;
	return 0;
}

// BPF_OK, and BPF_DROP of the one that sends.
void case_test_run(void)
{
	struct case_bpf *skel = SOME(case_bpf__open_and_load());
	__u32 verdict;

	OK(run(skel, skel->progs.on_in, &verdict));
	CHECK_EQ(verdict, 0);
	OK(run(skel, skel->progs.on_out, &verdict));
	CHECK_EQ(verdict, 0);
	OK(run(skel, skel->progs.on_xmit, &verdict));
	CHECK_EQ(verdict, 2);
	// Not every kernel runs these so.
	if (run(skel, skel->progs.on_seg6local, &verdict))
		CHECK_STR(wasm_bpf_last_error()->kind, "not-supported");
	case_bpf__destroy(skel);
}
