// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs are attached to tracepoints of all three kinds, with cookies and without, by their section, by a function of libbpf and by
// bpf(2); they run as long as they are attached, and no longer. What cannot be attached says why.
// needs: kernel=6.10 tracefs
#include <stdio.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "attach_tracing.skel.h"
#include "check.h"

static struct attach_tracing_bpf *skel;

// Each call of the host makes system calls, which all programs here wait for.
#define CHECK_RUNS(counter) \
	do { \
		__u64 before_ = skel->bss->counter; \
		usleep(1000); \
		CHECK(skel->bss->counter > before_); \
	} while (0)

#define CHECK_RUNS_NOT(counter) \
	do { \
		usleep(1000); \
		__u64 before_ = skel->bss->counter; \
		usleep(1000); \
		CHECK_IS(skel->bss->counter, before_); \
	} while (0)

static void tracepoints(void)
{
	LIBBPF_OPTS(bpf_tracepoint_opts, opts, .bpf_cookie = 0x1122334455667788);
	struct bpf_link *link = bpf_program__attach_tracepoint(skel->progs.at_tracepoint, "raw_syscalls", "sys_enter");

	CHECK(link);
	CHECK(bpf_link__fd(link) >= 0);
	CHECK(!bpf_link__pin_path(link));
	CHECK_RUNS(by_tracepoint);
	CHECK_IS(skel->bss->tracepoint_cookie, 0);
	CHECK_IS(bpf_link__destroy(link), 0);
	CHECK_RUNS_NOT(by_tracepoint);

	link = bpf_program__attach_tracepoint_opts(skel->progs.at_tracepoint, "raw_syscalls", "sys_enter", &opts);
	CHECK(link);
	CHECK_RUNS(by_tracepoint);
	CHECK_IS(skel->bss->tracepoint_cookie, opts.bpf_cookie);
	// The kernel detaches these with the last descriptor only.
	CHECK_ERR(bpf_link__detach(link), EOPNOTSUPP);
	CHECK_ERR(bpf_link__update_program(link, skel->progs.at_tracepoint), EOPNOTSUPP);
	CHECK_IS(bpf_link__destroy(link), 0);

	CHECK_NULL(bpf_program__attach_tracepoint(skel->progs.at_tracepoint, "raw_syscalls", "no_such"), ENOENT);
	CHECK_NULL(bpf_program__attach_tracepoint(skel->progs.at_tracepoint, NULL, "sys_enter"), EINVAL);
	CHECK_NULL(bpf_program__attach_tracepoint(skel->progs.at_raw, "raw_syscalls", "sys_enter"), EINVAL);
	CHECK_NULL(bpf_program__attach_tracepoint(skel->progs.not_loaded, "raw_syscalls", "sys_enter"), EINVAL);
	opts.sz = 2;
	CHECK_NULL(bpf_program__attach_tracepoint_opts(skel->progs.at_tracepoint, "raw_syscalls", "sys_enter", &opts), EINVAL);
}

static void raw_tracepoints(void)
{
	LIBBPF_OPTS(bpf_raw_tracepoint_opts, opts, .cookie = 77);
	LIBBPF_OPTS(bpf_raw_tp_opts, raw, .tp_name = "sys_enter", .cookie = 78);
	struct bpf_link *link = bpf_program__attach_raw_tracepoint(skel->progs.at_raw, "sys_enter");
	int fd;

	CHECK(link);
	CHECK_RUNS(by_raw);
	CHECK_IS(bpf_link__destroy(link), 0);
	CHECK_RUNS_NOT(by_raw);
	CHECK_NULL(bpf_program__attach_raw_tracepoint(skel->progs.at_raw, "no_such"), ENOENT);
	CHECK_NULL(bpf_program__attach_raw_tracepoint(skel->progs.not_loaded, "sys_enter"), EINVAL);

	link = bpf_program__attach_raw_tracepoint_opts(skel->progs.at_raw, "sys_enter", &opts);
	CHECK(link);
	CHECK_RUNS(by_raw);
	CHECK_IS(skel->bss->raw_cookie, 77);
	CHECK_IS(bpf_link__destroy(link), 0);

	fd = bpf_raw_tracepoint_open("sys_enter", bpf_program__fd(skel->progs.at_raw));
	CHECK(fd >= 0);
	CHECK_RUNS(by_raw);
	CHECK_IS(close(fd), 0);
	CHECK_RUNS_NOT(by_raw);
	CHECK_ERR(bpf_raw_tracepoint_open("no_such", bpf_program__fd(skel->progs.at_raw)), ENOENT);
	CHECK_ERR(bpf_raw_tracepoint_open("sys_enter", 12345), EBADF);

	fd = bpf_raw_tracepoint_open_opts(bpf_program__fd(skel->progs.at_raw), &raw);
	CHECK(fd >= 0);
	CHECK_RUNS(by_raw);
	CHECK_IS(skel->bss->raw_cookie, 78);
	CHECK_IS(close(fd), 0);
	CHECK_IS(close(fd), -1);
	CHECK_IS(errno, EBADF);

	// Without a name: what it was loaded for.
	fd = bpf_raw_tracepoint_open(NULL, bpf_program__fd(skel->progs.at_btf));
	CHECK(fd >= 0);
	CHECK_RUNS(by_btf);
	CHECK_IS(close(fd), 0);
}

static void btf_tracepoints(void)
{
	LIBBPF_OPTS(bpf_trace_opts, opts, .cookie = 99);
	LIBBPF_OPTS(bpf_link_create_opts, create, .tracing = { .cookie = 100 });
	struct bpf_link *link = bpf_program__attach_trace(skel->progs.at_btf);
	int fd, btf_fd = bpf_program__fd(skel->progs.at_btf);

	CHECK(link);
	CHECK_RUNS(by_btf);
	CHECK_IS(bpf_link__destroy(link), 0);
	CHECK_RUNS_NOT(by_btf);

	link = bpf_program__attach_trace_opts(skel->progs.at_btf, &opts);
	CHECK(link);
	CHECK_RUNS(by_btf);
	CHECK_IS(skel->bss->btf_cookie, 99);
	CHECK_IS(bpf_link__destroy(link), 0);

	fd = bpf_link_create(btf_fd, 0, BPF_TRACE_RAW_TP, &create);
	CHECK(fd >= 0);
	CHECK_RUNS(by_btf);
	CHECK_IS(skel->bss->btf_cookie, 100);
	CHECK_IS(close(fd), 0);
	CHECK_RUNS_NOT(by_btf);

	CHECK_NULL(bpf_program__attach_trace(skel->progs.at_raw), EINVAL);
	CHECK_NULL(bpf_program__attach_lsm(skel->progs.at_btf), EINVAL);
	CHECK_ERR(bpf_link_create(btf_fd, 5, BPF_TRACE_RAW_TP, NULL), ENOTSUP);
	CHECK_ERR(bpf_link_create(btf_fd, 0, 1000, NULL), EINVAL);
	CHECK_ERR(bpf_link_create(btf_fd, 0, BPF_LIRC_MODE2, NULL), EINVAL);
	CHECK_ERR(bpf_link_create(123, 0, BPF_TRACE_RAW_TP, NULL), EBADF);
	create.kprobe_multi.cookies = &opts.cookie; // behind what tracing has
	CHECK_ERR(bpf_link_create(btf_fd, 0, BPF_TRACE_RAW_TP, &create), EINVAL);
}

static void sections(void)
{
	struct bpf_link *link = bpf_program__attach(skel->progs.at_section);

	CHECK(link);
	CHECK_RUNS(by_section);
	CHECK_IS(bpf_link__destroy(link), 0);
	CHECK_RUNS_NOT(by_section);
	CHECK_NULL(bpf_program__attach(skel->progs.at_tracepoint), EOPNOTSUPP);
	CHECK_NULL(bpf_program__attach(skel->progs.not_loaded), EINVAL);
	CHECK_IS(bpf_link__destroy(NULL), 0);

	// What is disconnected stays attached, and its descriptor open.
	link = bpf_program__attach(skel->progs.at_section_too);
	CHECK(link);
	int fd = bpf_link__fd(link);
	bpf_link__disconnect(link);
	CHECK_IS(bpf_link__destroy(link), 0);
	CHECK_RUNS(by_other);
	CHECK_IS(close(fd), 0);
	CHECK_RUNS_NOT(by_other);

	// All that have a target, and no others.
	CHECK_IS(attach_tracing_bpf__attach(skel), 0);
	CHECK(skel->links.at_section && skel->links.at_section_too && skel->links.at_btf);
	CHECK(!skel->links.at_tracepoint && !skel->links.at_raw && !skel->links.not_loaded);
	CHECK_RUNS(by_section);
	CHECK_RUNS(by_other);
	attach_tracing_bpf__detach(skel);
	CHECK_RUNS_NOT(by_section);
}

int main(void)
{
	skel = attach_tracing_bpf__open_and_load();
	CHECK(skel);
	tracepoints();
	raw_tracepoints();
	btf_tracepoints();
	sections();
	attach_tracing_bpf__destroy(skel);
	return 0;
}
