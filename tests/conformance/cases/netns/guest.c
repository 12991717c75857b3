// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs on network namespaces.
#include "conformance.h"

#include <fcntl.h>
#include <unistd.h>

#include "case.skel.h"
#include "paths.h"

static struct case_bpf *load(const char *name)
{
	struct case_bpf *skel = SOME(case_bpf__open());

	OK(bpf_program__set_autoload(SOME(bpf_object__find_program_by_name(skel->obj, name)), true));
	OK(case_bpf__load(skel));
	return skel;
}

// The variables as the map has them now.
static __typeof__(*((struct case_bpf *)0)->bss) variables(int map)
{
	__typeof__(*((struct case_bpf *)0)->bss) values;
	__u32 key = 0;

	OK(bpf_map_lookup_elem(map, &key, &values));
	return values;
}

static __u64 looked_up(const struct case_bpf *skel)
{
	return variables(bpf_map__fd(skel->maps.bss)).looked_up;
}

static __u64 dissected(const struct case_bpf *skel)
{
	return variables(bpf_map__fd(skel->maps.bss)).dissected;
}

static bool attach_raw(const struct bpf_program *program, wasm_bpf_bpf_programs_own_link_t *link, wasm_bpf_bpf_programs_error_t *error)
{
	return wasm_bpf_bpf_programs_method_program_attach_netns(raw_program(bpf_program__fd(program)), NULL, link, error);
}

// To the host's own namespace, which no descriptor of the guest is: the link's descriptor.
static int attach_to_own(const struct bpf_program *program)
{
	wasm_bpf_bpf_programs_own_link_t link;
	wasm_bpf_bpf_programs_error_t error;

	CHECK(attach_raw(program, &link, &error));
	return OK(wb_link_descriptor(link));
}

static struct bpf_link_info info_of(int link)
{
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);

	OK(bpf_link_get_info_by_fd(link, &info, &size));
	return info;
}

static void is_attached(const struct case_bpf *skel, int link)
{
	struct bpf_link_info info = info_of(link);

	CHECK_EQ(info.type, BPF_LINK_TYPE_NETNS);
	holds(skel->obj);
	is_held("link=%u", info.id);
}

static void is_detached(int link)
{
	__u32 id = info_of(link).id;

	OK(close(link));
	is_gone("link=%u", id);
}

// For each packet that comes in; nobody listens.
void case_looks_sockets_up(void)
{
	struct case_bpf *skel = load("on_lookup");
	int link = attach_to_own(skel->progs.on_lookup), second;

	is_attached(skel, link);
	packets(5);
	SOON(looked_up(skel) == 5);
	// There may be several, even of one program.
	second = attach_to_own(skel->progs.on_lookup);
	packets(5);
	SOON(looked_up(skel) == 15);
	is_detached(link);
	packets(5);
	SOON(looked_up(skel) == 20);
	is_detached(second);
	packets(5);
	CHECK_EQ(looked_up(skel), 20);
	case_bpf__destroy(skel);
}

// The kernel asks it about each packet that a packet socket sends.
void case_dissects_flows(void)
{
	struct case_bpf *skel = load("on_flow");
	int link = attach_to_own(skel->progs.on_flow);
	wasm_bpf_bpf_programs_own_link_t other;
	wasm_bpf_bpf_programs_error_t error;
	__u64 before;

	is_attached(skel, link);
	packets_out(5);
	SOON(dissected(skel) >= 5);
	FAILS_ERROR(attach_raw(skel->progs.on_flow, &other, &error), error, "full", "on_flow");
	is_detached(link);
	before = dissected(skel);
	packets_out(5);
	CHECK_EQ(dissected(skel), before);
	is_detached(attach_to_own(skel->progs.on_flow));
	case_bpf__destroy(skel);
}

// It is the host's own here, but that is not what is said.
void case_by_descriptor(void)
{
	struct case_bpf *skel = load("on_lookup");
	int netns = OK(open(given("netns"), O_RDONLY));
	struct bpf_link *link = SOME(bpf_program__attach_netns(skel->progs.on_lookup, netns));
	__u32 id = link_id(link);

	is_attached(skel, bpf_link__fd(link));
	packets(5);
	SOON(looked_up(skel) == 5);
	OK(bpf_link__destroy(link));
	is_gone("link=%u", id);
	case_bpf__destroy(skel);
}

// A folder, a namespace of another kind, a file of another file system.
void case_other_descriptors(void)
{
	static const char *const paths[] = { "/run/netns", "/proc/self/ns", "/proc/self/fdinfo/0" };
	struct case_bpf *skel = load("on_lookup");

	for (size_t i = 0; i < LENGTH(paths); i++) {
		int fd = OK(open(paths[i], O_RDONLY));
		wasi_filesystem_types_own_descriptor_t own;
		wasi_filesystem_types_borrow_descriptor_t netns;
		wasm_bpf_bpf_programs_own_link_t link;
		wasm_bpf_bpf_programs_error_t error;

		FAILS_NULL(bpf_program__attach_netns(skel->progs.on_lookup, fd), "invalid-argument", "on_lookup", "netns");
		// The host says it, not the kernel.
		OK(wb_open_path_of(fd, &own));
		netns = wasi_filesystem_types_borrow_descriptor(own);
		FAILS_ERROR(wasm_bpf_bpf_programs_method_program_attach_netns(raw_program(bpf_program__fd(skel->progs.on_lookup)), &netns, &link,
									      &error), error, "invalid-argument", "on_lookup", "netns");
		CHECK_EQ(error.errno_, 0);
		wasi_filesystem_types_descriptor_drop_own(own);
		OK(close(fd));
	}
	case_bpf__destroy(skel);
}

// Of every namespace.
void case_other_kinds(void)
{
	struct case_bpf *skel = load("is_tc");
	wasm_bpf_bpf_programs_own_link_t link;
	wasm_bpf_bpf_programs_error_t error;

	FAILS_ERROR(attach_raw(skel->progs.is_tc, &link, &error), error, "invalid-argument", "is_tc");
	case_bpf__destroy(skel);
}

// Only the link is left of it, and the variables.
void case_handles_dropped_first(void)
{
	struct case_bpf *skel = load("on_lookup");
	int netns = OK(open(given("netns"), O_RDONLY)), map = OK(dup(bpf_map__fd(skel->maps.bss)));
	struct bpf_link *link = SOME(bpf_program__attach_netns(skel->progs.on_lookup, netns));
	__u32 id = link_id(link);

	holds(skel->obj);
	is_held("link=%u", id);
	OK(close(netns));
	case_bpf__destroy(skel);
	packets(4);
	SOON(variables(map).looked_up == 4);
	OK(bpf_link__destroy(link));
	is_gone("link=%u", id);
	packets(4);
	CHECK_EQ(variables(map).looked_up, 4);
}
