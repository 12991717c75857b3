// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs on functions of the kernel and on system calls: at the call and the return, with an offset, with cookies, one by one and many
// at once.
// needs: vm kernel=6.6 --dir /etc
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "attach_kprobe.skel.h"
#include "check.h"
#include "wasm_bpf.h"

#define KPROBE_SESSION 56

static struct attach_kprobe_bpf *skel;

// The host opens it with openat2.
static void open_file(void)
{
	int fd = open("/etc/passwd", O_RDONLY);

	CHECK(fd >= 0);
	close(fd);
	usleep(1);
}

#define CHECK_SEES(counter) \
	do { \
		__u64 before_ = skel->bss->counter; \
		open_file(); \
		CHECK(skel->bss->counter > before_); \
	} while (0)

#define CHECK_SEES_NOT(counter) \
	do { \
		__u64 before_ = skel->bss->counter; \
		open_file(); \
		CHECK_IS(skel->bss->counter, before_); \
	} while (0)

static bool is_since(unsigned int major, unsigned int minor)
{
	wasm_bpf_bpf_features_kernel_version_t version;

	wasm_bpf_bpf_features_version(&version);
	return version.major > major || (version.major == major && version.minor >= minor);
}

static void one(void)
{
	LIBBPF_OPTS(bpf_kprobe_opts, opts, .bpf_cookie = 0xabcdef0123456789);
	struct bpf_link *link = bpf_program__attach_kprobe(skel->progs.on_call, false, "vfs_open");

	CHECK(link);
	CHECK_SEES(calls);
	CHECK_IS(bpf_link__destroy(link), 0);
	CHECK_SEES_NOT(calls);
	link = bpf_program__attach_kprobe(skel->progs.on_return, true, "vfs_open");
	CHECK(link);
	CHECK_SEES(returns);
	CHECK_IS(bpf_link__destroy(link), 0);

	link = bpf_program__attach_kprobe_opts(skel->progs.on_call, "vfs_open", &opts);
	CHECK(link);
	CHECK_SEES(calls);
	CHECK_IS(skel->bss->cookie, opts.bpf_cookie);
	CHECK_IS(bpf_link__destroy(link), 0);
	LIBBPF_OPTS_RESET(opts, .retprobe = true, .attach_mode = PROBE_ATTACH_MODE_LINK);
	link = bpf_program__attach_kprobe_opts(skel->progs.on_return, "vfs_open", &opts);
	CHECK(link);
	CHECK_SEES(returns);
	CHECK_IS(bpf_link__destroy(link), 0);

	opts.offset = 1;
	CHECK_NULL(bpf_program__attach_kprobe_opts(skel->progs.on_return, "vfs_open", &opts), EINVAL);
	opts.offset = 0;
	CHECK_NULL(bpf_program__attach_kprobe_opts(skel->progs.on_return, NULL, &opts), ENOTSUP);
	opts.attach_mode = PROBE_ATTACH_MODE_LEGACY;
	CHECK_NULL(bpf_program__attach_kprobe_opts(skel->progs.on_return, "vfs_open", &opts), ENOTSUP);
	opts.attach_mode = 77;
	CHECK_NULL(bpf_program__attach_kprobe_opts(skel->progs.on_return, "vfs_open", &opts), EINVAL);
	opts.sz = 1;
	CHECK_NULL(bpf_program__attach_kprobe_opts(skel->progs.on_return, "vfs_open", &opts), EINVAL);
	CHECK_NULL(bpf_program__attach_kprobe(skel->progs.on_call, false, "no_such_function"), ENOENT);
	CHECK_NULL(bpf_program__attach_kprobe(skel->progs.on_many, false, "vfs_open"), EINVAL);

	link = bpf_program__attach(skel->progs.at_section);
	CHECK(link);
	CHECK_SEES(by_section);
	CHECK_IS(bpf_link__destroy(link), 0);
}

static void system_calls(void)
{
	LIBBPF_OPTS(bpf_ksyscall_opts, opts, .bpf_cookie = 5);
	struct bpf_link *link = bpf_program__attach_ksyscall(skel->progs.on_syscall, "openat2", NULL);

	CHECK(link);
	CHECK_SEES(syscalls);
	CHECK_IS(skel->bss->syscall_cookie, 0);
	CHECK_IS(bpf_link__destroy(link), 0);
	CHECK_SEES_NOT(syscalls);
	link = bpf_program__attach_ksyscall(skel->progs.on_syscall, "openat2", &opts);
	CHECK(link);
	CHECK_SEES(syscalls);
	CHECK_IS(skel->bss->syscall_cookie, 5);
	CHECK_IS(bpf_link__destroy(link), 0);
	opts.retprobe = true;
	link = bpf_program__attach_ksyscall(skel->progs.on_syscall, "openat2", &opts);
	CHECK(link);
	CHECK_SEES(syscalls);
	CHECK_IS(bpf_link__destroy(link), 0);
	CHECK_NULL(bpf_program__attach_ksyscall(skel->progs.on_syscall, "no_such_call", NULL), ENOENT);
	CHECK_NULL(bpf_program__attach_ksyscall(skel->progs.on_syscall, NULL, NULL), EINVAL);
	opts.sz = 1;
	CHECK_NULL(bpf_program__attach_ksyscall(skel->progs.on_syscall, "openat2", &opts), EINVAL);
}

static void many(void)
{
	const char *names[] = { "vfs_open", "security_file_open" };
	unsigned long addresses[] = { 1, 2 };
	__u64 cookies[] = { 1ull << 40, 2 };
	LIBBPF_OPTS(bpf_kprobe_multi_opts, opts, .syms = names, .cookies = cookies, .cnt = 2);
	LIBBPF_OPTS(bpf_link_create_opts, create, .kprobe_multi = { .syms = names, .cookies = cookies, .cnt = 2 });
	struct bpf_link *link = bpf_program__attach_kprobe_multi_opts(skel->progs.on_many, "vfs_ope*", NULL);
	int fd;

	CHECK(link);
	CHECK_SEES(many);
	CHECK_IS(bpf_link__destroy(link), 0);
	CHECK_SEES_NOT(many);
	link = bpf_program__attach_kprobe_multi_opts(skel->progs.on_many, "vfs_open", NULL);
	CHECK(link);
	CHECK_SEES(many);
	CHECK_IS(bpf_link__destroy(link), 0);
	CHECK_IS(skel->bss->many_cookies, 0);
	link = bpf_program__attach_kprobe_multi_opts(skel->progs.on_many, NULL, &opts);
	CHECK(link);
	CHECK_SEES(many);
	CHECK_IS(skel->bss->many_cookies, cookies[0] | cookies[1]);
	CHECK_IS(bpf_link__destroy(link), 0);
	opts.retprobe = true;
	link = bpf_program__attach_kprobe_multi_opts(skel->progs.on_many, NULL, &opts);
	CHECK(link);
	CHECK_SEES(many);
	CHECK_IS(bpf_link__destroy(link), 0);

	fd = bpf_link_create(bpf_program__fd(skel->progs.on_many), 0, BPF_TRACE_KPROBE_MULTI, &create);
	CHECK(fd >= 0);
	CHECK_SEES(many);
	CHECK_IS(close(fd), 0);
	CHECK_SEES_NOT(many);
	create.kprobe_multi.flags = 8;
	CHECK_ERR(bpf_link_create(bpf_program__fd(skel->progs.on_many), 0, BPF_TRACE_KPROBE_MULTI, &create), EINVAL);
	CHECK_ERR(bpf_link_create(bpf_program__fd(skel->progs.on_many), 0, BPF_TRACE_KPROBE_MULTI, NULL), EINVAL);

	opts.session = true;
	CHECK_NULL(bpf_program__attach_kprobe_multi_opts(skel->progs.on_many, NULL, &opts), EINVAL);
	CHECK_NULL(bpf_program__attach_kprobe_multi_opts(skel->progs.on_many, "vfs_*", &opts), EINVAL);
	LIBBPF_OPTS_RESET(opts, .addrs = addresses, .cnt = 2);
	CHECK_NULL(bpf_program__attach_kprobe_multi_opts(skel->progs.on_many, NULL, &opts), ENOTSUP);
	CHECK_NULL(bpf_program__attach_kprobe_multi_opts(skel->progs.on_many, NULL, NULL), EINVAL);
	CHECK_NULL(bpf_program__attach_kprobe_multi_opts(skel->progs.on_many, "no_such_*", NULL), ENOENT);
	CHECK_NULL(bpf_program__attach_kprobe_multi_opts(skel->progs.on_many, "no_such_function", NULL), ENOENT);
	CHECK_NULL(bpf_program__attach_kprobe_multi_opts(skel->progs.on_call, "vfs_open", NULL), EINVAL);

	// One that a pattern matches, or none.
	LIBBPF_OPTS_RESET(opts, .unique_match = true);
	link = bpf_program__attach_kprobe_multi_opts(skel->progs.on_many, "vfs_open", &opts);
	if (is_since(6, 6)) {
		CHECK(link);
		CHECK_SEES(many);
		CHECK_IS(bpf_link__destroy(link), 0);
		CHECK_NULL(bpf_program__attach_kprobe_multi_opts(skel->progs.on_many, "vfs_*", &opts), EINVAL);
	} else {
		CHECK(!link && errno == ENOTSUP);
	}
	CHECK_SEES_NOT(many);
	opts.syms = names;
	opts.cnt = 2;
	CHECK_NULL(bpf_program__attach_kprobe_multi_opts(skel->progs.on_many, NULL, &opts), EINVAL);
}

static void sessions(void)
{
	LIBBPF_OPTS(bpf_kprobe_multi_opts, opts, .session = true);
	struct bpf_link *link = bpf_program__attach_kprobe_multi_opts(skel->progs.on_session, "vfs_open", &opts);
	const char *name = "vfs_open";
	LIBBPF_OPTS(bpf_link_create_opts, create, .kprobe_multi = { .syms = &name, .cnt = 1 });
	int fd;

	CHECK(link);
	CHECK_SEES(sessions);
	CHECK_IS(skel->bss->sessions % 2, 0);
	CHECK_IS(bpf_link__destroy(link), 0);
	CHECK_SEES_NOT(sessions);
	fd = bpf_link_create(bpf_program__fd(skel->progs.on_session), 0, KPROBE_SESSION, &create);
	CHECK(fd >= 0);
	CHECK_SEES(sessions);
	CHECK_IS(close(fd), 0);
}

int main(void)
{
	skel = attach_kprobe_bpf__open();
	CHECK(skel);
	bpf_program__set_autoload(skel->progs.on_session, is_since(6, 10));
	bpf_program__set_autoload(skel->progs.on_many, is_since(5, 18));
	CHECK_IS(attach_kprobe_bpf__load(skel), 0);
	one();
	system_calls();
	if (is_since(5, 18))
		many();
	if (is_since(6, 10))
		sessions();
	attach_kprobe_bpf__destroy(skel);
	return 0;
}
