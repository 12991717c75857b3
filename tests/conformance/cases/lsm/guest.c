// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs on security hooks.
#include "conformance.h"

#include <sys/stat.h>
#include <unistd.h>

#include "case.skel.h"

static struct case_bpf *with_program(const char *name)
{
	struct case_bpf *skel = SOME(case_bpf__open());

	OK(bpf_program__set_autoload(SOME(bpf_object__find_program_by_name(skel->obj, name)), true));
	return skel;
}

static struct case_bpf *load(const char *name)
{
	struct case_bpf *skel = with_program(name);

	OK(case_bpf__load(skel));
	return skel;
}

// Makes a folder, and removes it again: 0, or an errno.
static int make(const char *name)
{
	char path[512];

	CHECK(snprintf(path, sizeof(path), "%s/wasm-bpf-conformance-%s", given("cgroup"), name) < (int)sizeof(path));
	if (mkdir(path, 0755))
		return errno;
	OK(rmdir(path));
	return 0;
}

// Either number is one of a permission; WASI may give the other than the program did.
static bool is_refused(int error)
{
	return error == EPERM || error == EACCES;
}

// What the map has now.
static __u64 asked(const struct case_bpf *skel)
{
	__typeof__(*skel->bss) values;
	__u32 key = 0;

	OK(bpf_map__lookup_elem(skel->maps.bss, &key, sizeof(key), &values, sizeof(values), 0));
	return values.asked;
}

// The folder of one name, and no other.
void case_denies(void)
{
	struct case_bpf *skel = load("denies");
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);
	struct bpf_link *link;

	CHECK_EQ(make("denied"), 0);
	link = SOME(bpf_program__attach_lsm(skel->progs.denies));
	CHECK(is_refused(make("denied")));
	CHECK_EQ(make("other"), 0);
	CHECK_EQ(asked(skel), 1);
	OK(bpf_link_get_info_by_fd(bpf_link__fd(link), &info, &size));
	CHECK_EQ(info.type, BPF_LINK_TYPE_TRACING);
	holds(skel->obj);
	is_held("link=%u", info.id);
	OK(bpf_link__destroy(link));
	CHECK_EQ(make("denied"), 0);
	CHECK_EQ(asked(skel), 1);
	case_bpf__destroy(skel);
}

// By its section, and by the function for it.
void case_audits(void)
{
	for (int by_section = 0; by_section < 2; by_section++) {
		struct case_bpf *skel = load("audits");
		struct bpf_program *program = skel->progs.audits;
		struct bpf_link *link = SOME(by_section ? bpf_program__attach(program) : bpf_program__attach_lsm(program));

		CHECK_EQ(make("denied"), 0);
		CHECK_EQ(asked(skel), 1);
		OK(bpf_link__destroy(link));
		CHECK_EQ(make("denied"), 0);
		CHECK_EQ(asked(skel), 1);
		case_bpf__destroy(skel);
	}
}

// What else is granted does not help.
void case_denied(void)
{
	static const char *const names[] = { "denies", "audits" };

	for (size_t i = 0; i < LENGTH(names); i++) {
		struct case_bpf *skel = with_program(names[i]);

		FAILS(case_bpf__load(skel), "not-granted", names[i], "lsm");
		case_bpf__destroy(skel);
	}
}

// The section names none.
void case_hooks(void)
{
	struct case_bpf *skel = with_program("anywhere");
	struct bpf_link *link;

	// libbpf has its own number for this.
	CHECK_EQ(bpf_program__set_attach_target(skel->progs.anywhere, 0, "no_such_hook"), -ESRCH);
	FAILS(-wasm_bpf_last_error()->error_number, "not-found", "no_such_hook");
	OK(bpf_program__set_attach_target(skel->progs.anywhere, 0, "file_mprotect"));
	OK(case_bpf__load(skel));
	link = SOME(bpf_program__attach_lsm(skel->progs.anywhere));
	holds(skel->obj);
	is_held("link=%u", link_id(link));
	OK(bpf_link__destroy(link));
	case_bpf__destroy(skel);
}

// One is allowed.
void case_link_limit(void)
{
	struct case_bpf *first = load("audits"), *second = load("audits");
	struct bpf_link *link = SOME(bpf_program__attach_lsm(first->progs.audits));

	FAILS_NULL(bpf_program__attach_lsm(second->progs.audits), "limit-exceeded", "links", "audits");
	OK(bpf_link__destroy(link));
	link = SOME(bpf_program__attach_lsm(second->progs.audits));
	OK(bpf_link__destroy(link));
	case_bpf__destroy(first);
	case_bpf__destroy(second);
}

// It would deny, as 0 says there.
void case_of_a_cgroup(void)
{
	struct case_bpf *skel = load("in_a_cgroup");

	FAILS_NULL(bpf_program__attach_lsm(skel->progs.in_a_cgroup), "invalid-argument", "in_a_cgroup");
	case_bpf__destroy(skel);
}

// Whatever the machine can do.
void case_wrong_kinds(void)
{
	struct case_bpf *skel = load("on_enter");

	FAILS_NULL(bpf_program__attach_lsm(skel->progs.on_enter), "invalid-argument", "on_enter");
	case_bpf__destroy(skel);
}

// Nothing else keeps it.
void case_outlives_its_object(void)
{
	struct case_bpf *skel = load("denies");
	struct bpf_link *link = SOME(bpf_program__attach_lsm(skel->progs.denies));
	__u32 program = program_id(bpf_program__fd(skel->progs.denies)), id = link_id(link);

	case_bpf__destroy(skel);
	CHECK(is_refused(make("denied")));
	OK(bpf_link__destroy(link));
	is_gone("program=%u", program);
	is_gone("link=%u", id);
	CHECK_EQ(make("denied"), 0);
}
