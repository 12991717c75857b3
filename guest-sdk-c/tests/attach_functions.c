// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs at the entry and the exit of functions of the kernel, on security hooks, and in the place of functions of other programs.
// needs: vm kernel=6.6 --dir /etc
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "attach_functions.skel.h"
#include "attach_functions_target.skel.h"
#include "check.h"
#include "wasm_bpf.h"

// Of the library: the handle behind a descriptor.
bool wb_program_of(int fd, wasm_bpf_bpf_programs_borrow_program_t *program);

static struct attach_functions_bpf *skel;
static struct attach_functions_target_bpf *target;

static bool open_file(void)
{
	int fd;

	// A wait writes and reads global variables.
	usleep(1);
	fd = open("/etc/passwd", O_RDONLY);
	if (fd >= 0)
		close(fd);
	usleep(1);
	return fd >= 0;
}

#define CHECK_SEES(counter) \
	do { \
		__u64 before_ = skel->bss->counter; \
		CHECK(open_file()); \
		CHECK(skel->bss->counter > before_); \
	} while (0)

#define CHECK_SEES_NOT(counter) \
	do { \
		__u64 before_ = skel->bss->counter; \
		CHECK(open_file()); \
		CHECK_IS(skel->bss->counter, before_); \
	} while (0)

static void traced(void)
{
	LIBBPF_OPTS(bpf_trace_opts, opts, .cookie = 4711);
	struct bpf_link *link = bpf_program__attach_trace(skel->progs.on_entry);
	int fd;

	CHECK(link);
	CHECK_SEES(entries);
	CHECK_IS(bpf_link__destroy(link), 0);
	CHECK_SEES_NOT(entries);
	link = bpf_program__attach_trace_opts(skel->progs.on_entry, &opts);
	CHECK(link);
	CHECK_SEES(entries);
	CHECK_IS(skel->bss->cookie, 4711);
	CHECK_IS(bpf_link__destroy(link), 0);
	link = bpf_program__attach(skel->progs.on_exit);
	CHECK(link);
	CHECK_SEES(exits);
	CHECK_IS(bpf_link__destroy(link), 0);
	fd = bpf_link_create(bpf_program__fd(skel->progs.on_exit), 0, BPF_TRACE_FEXIT, NULL);
	CHECK(fd >= 0);
	CHECK_SEES(exits);
	CHECK_IS(close(fd), 0);
	CHECK_SEES_NOT(exits);
}

static void hooks(void)
{
	struct bpf_link *link = bpf_program__attach_lsm(skel->progs.on_open);
	int fd;

	CHECK(link);
	CHECK_SEES(opened);
	// What it answers decides.
	skel->bss->denied = 1;
	CHECK(!open_file());
	skel->bss->denied = 0;
	CHECK(open_file());
	CHECK_IS(bpf_link__destroy(link), 0);
	CHECK_SEES_NOT(opened);
	link = bpf_program__attach_trace(skel->progs.on_open);
	CHECK(link);
	CHECK_SEES(opened);
	CHECK_IS(bpf_link__destroy(link), 0);
	fd = bpf_link_create(bpf_program__fd(skel->progs.on_open), 0, BPF_LSM_MAC, NULL);
	CHECK(fd >= 0);
	CHECK_SEES(opened);
	CHECK_IS(close(fd), 0);
	fd = bpf_raw_tracepoint_open(NULL, bpf_program__fd(skel->progs.on_open));
	CHECK(fd >= 0);
	CHECK_SEES(opened);
	CHECK_IS(close(fd), 0);
	CHECK_SEES_NOT(opened);
}

static int run_target(void)
{
	unsigned char packet[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));

	CHECK_IS(bpf_prog_test_run_opts(bpf_program__fd(target->progs.target), &opts), 0);
	return opts.retval;
}

// The function's type in the program's BTF.
static __u32 type_of(int fd, const char *function)
{
	wasm_bpf_bpf_btf_type_kind_t kind = { .tag = WASM_BPF_BPF_BTF_TYPE_KIND_FUNC };
	wasm_bpf_string_t name = { (uint8_t *)function, strlen(function) };
	wasm_bpf_bpf_programs_borrow_program_t program;
	wasm_bpf_bpf_btf_option_own_btf_t btf;
	wasm_bpf_bpf_types_error_t error;
	__u32 type;

	CHECK(wb_program_of(fd, &program));
	CHECK(wasm_bpf_bpf_btf_static_btf_of_program(program, &btf, &error) && btf.is_some);
	CHECK(wasm_bpf_bpf_btf_method_btf_find(wasm_bpf_bpf_btf_borrow_btf(btf.val), &name, &kind, &type));
	wasm_bpf_bpf_btf_btf_drop_own(btf.val);
	return type;
}

static void replaced(void)
{
	int target_fd = bpf_program__fd(target->progs.target), fd;
	struct bpf_link *link;
	__u32 function;

	CHECK_IS(run_target(), 11 + 1002);
	link = bpf_program__attach_freplace(skel->progs.replaced, 0, NULL);
	CHECK(link);
	CHECK_IS(run_target(), 110 + 1002);
	CHECK_IS(bpf_link__destroy(link), 0);
	CHECK_IS(run_target(), 11 + 1002);
	// Another function of the same type.
	link = bpf_program__attach_freplace(skel->progs.replaced, target_fd, "add_too");
	CHECK(link);
	CHECK_IS(run_target(), 11 + 1100);
	CHECK_IS(bpf_link__destroy(link), 0);

	function = type_of(target_fd, "add_too");
	fd = bpf_link_create(bpf_program__fd(skel->progs.replaced), target_fd, 0, &(struct bpf_link_create_opts){
		.sz = sizeof(struct bpf_link_create_opts), .target_btf_id = function });
	CHECK(fd >= 0);
	CHECK_IS(run_target(), 11 + 1100);
	CHECK_IS(close(fd), 0);
	CHECK_IS(run_target(), 11 + 1002);

	CHECK_NULL(bpf_program__attach_freplace(skel->progs.replaced, target_fd, NULL), EINVAL);
	CHECK_NULL(bpf_program__attach_freplace(skel->progs.replaced, target_fd, "no_such"), ENOENT);
	CHECK_NULL(bpf_program__attach_freplace(skel->progs.replaced, 4711, "add"), EBADF);
	CHECK_NULL(bpf_program__attach_freplace(skel->progs.on_entry, target_fd, "add"), EINVAL);
	CHECK_ERR(bpf_link_create(bpf_program__fd(skel->progs.replaced), target_fd, 0, &(struct bpf_link_create_opts){
		.sz = sizeof(struct bpf_link_create_opts), .target_btf_id = 100000 }), EINVAL);
	CHECK_ERR(bpf_link_create(bpf_program__fd(skel->progs.replaced), 4711, 0, &(struct bpf_link_create_opts){
		.sz = sizeof(struct bpf_link_create_opts), .target_btf_id = function }), EBADF);
}

int main(void)
{
	target = attach_functions_target_bpf__open_and_load();
	CHECK(target);
	skel = attach_functions_bpf__open();
	CHECK(skel);
	skel->bss->process = getpid();
	CHECK_IS(bpf_program__set_attach_target(skel->progs.replaced, bpf_program__fd(target->progs.target), "add"), 0);
	CHECK_IS(attach_functions_bpf__load(skel), 0);
	traced();
	hooks();
	replaced();
	attach_functions_bpf__destroy(skel);
	attach_functions_target_bpf__destroy(target);
	return 0;
}
