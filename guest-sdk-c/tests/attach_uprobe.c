// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs on functions of a binary and on its USDT probes: by name, by offset, at the call and the return, one by one and many at once,
// for all processes and for one. They see arguments, results and cookies.
// needs: kernel=6.6 target
#include <fcntl.h>
#include <linux/elf.h>
#include <stdio.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "attach_uprobe.skel.h"
#include "check.h"

#define BINARY "/target/probed"
#define UPROBE_MULTI 48

static struct attach_uprobe_bpf *skel;
static pid_t target;

#define CHECK_SEES(counter) \
	do { \
		__u64 before_ = skel->bss->counter; \
		for (int i_ = 0; i_ < 500 && skel->bss->counter <= before_ + 1; i_++) \
			usleep(2000); \
		CHECK(skel->bss->counter > before_ + 1); \
	} while (0)

// The target calls everything a thousand times in a second.
#define CHECK_SEES_NOT(counter) \
	do { \
		usleep(5000); \
		__u64 before_ = skel->bss->counter; \
		usleep(30000); \
		CHECK_IS(skel->bss->counter, before_); \
	} while (0)

// Where in the file a function is.
static unsigned long offset_of(const char *name)
{
	static unsigned char file[1 << 20];
	Elf64_Ehdr *header = (void *)file;
	Elf64_Shdr *sections;
	Elf64_Phdr *segments;
	int fd = open(BINARY, O_RDONLY);
	ssize_t length = read(fd, file, sizeof(file));

	CHECK(length > (ssize_t)sizeof(*header) && length < (ssize_t)sizeof(file));
	close(fd);
	sections = (void *)(file + header->e_shoff);
	segments = (void *)(file + header->e_phoff);
	for (int i = 0; i < header->e_shnum; i++) {
		Elf64_Sym *symbols = (void *)(file + sections[i].sh_offset);

		if (sections[i].sh_type != SHT_SYMTAB)
			continue;
		for (unsigned long j = 0; j < sections[i].sh_size / sizeof(*symbols); j++) {
			if (strcmp((char *)file + sections[sections[i].sh_link].sh_offset + symbols[j].st_name, name))
				continue;
			for (int k = 0; k < header->e_phnum; k++) {
				Elf64_Addr at = symbols[j].st_value - segments[k].p_vaddr;

				if (segments[k].p_type == PT_LOAD && symbols[j].st_value >= segments[k].p_vaddr &&
					at < segments[k].p_filesz)
					return at + segments[k].p_offset;
			}
		}
	}
	FAIL_CHECK("the target has no function %s", name);
}

static void one(void)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .func_name = "probed_add", .bpf_cookie = 0xabcdef0123456789);
	struct bpf_link *link = bpf_program__attach_uprobe_opts(skel->progs.on_call, -1, BINARY, 0, &opts);

	CHECK(link);
	CHECK_SEES(calls);
	CHECK_IS(skel->bss->first, 40);
	CHECK_IS(skel->bss->second, 2);
	CHECK_IS(skel->bss->cookie, opts.bpf_cookie);
	CHECK_IS(skel->bss->process, target);
	CHECK_IS(bpf_link__destroy(link), 0);
	CHECK_SEES_NOT(calls);

	// By its offset; only for one process.
	link = bpf_program__attach_uprobe(skel->progs.on_call, false, target, BINARY, offset_of("probed_add"));
	CHECK(link);
	CHECK_SEES(calls);
	CHECK_IS(skel->bss->cookie, 0);
	CHECK_IS(bpf_link__destroy(link), 0);
	link = bpf_program__attach_uprobe(skel->progs.on_call, false, 0, BINARY, offset_of("probed_add"));
	CHECK(link);
	CHECK_SEES_NOT(calls);
	CHECK_IS(bpf_link__destroy(link), 0);

	LIBBPF_OPTS_RESET(opts, .func_name = "probed_double", .retprobe = true, .attach_mode = PROBE_ATTACH_MODE_LINK);
	link = bpf_program__attach_uprobe_opts(skel->progs.on_return, target, BINARY, 0, &opts);
	CHECK(link);
	CHECK_SEES(returns);
	CHECK_IS(skel->bss->result, 42);
	CHECK_IS(bpf_link__destroy(link), 0);
	link = bpf_program__attach_uprobe(skel->progs.on_return, true, -1, BINARY, offset_of("probed_double"));
	CHECK(link);
	CHECK_SEES(returns);
	CHECK_IS(bpf_link__destroy(link), 0);

	LIBBPF_OPTS_RESET(opts, .func_name = "no_such_function");
	CHECK_NULL(bpf_program__attach_uprobe_opts(skel->progs.on_call, -1, BINARY, 0, &opts), ENOENT);
	opts.func_name = "probed_add";
	CHECK_NULL(bpf_program__attach_uprobe_opts(skel->progs.on_call, -1, "/target/no_such_file", 0, &opts), ENOENT);
	CHECK_NULL(bpf_program__attach_uprobe_opts(skel->progs.on_call, -1, "no_such_program", 0, &opts), ENOENT);
	CHECK_NULL(bpf_program__attach_uprobe_opts(skel->progs.on_call, -1, "libnosuch.so.1", 0, &opts), ENOENT);
	CHECK_NULL(bpf_program__attach_uprobe_opts(skel->progs.on_call, -1, "/target/some.apk!/lib.so", 0, &opts), ENOTSUP);
	CHECK_NULL(bpf_program__attach_uprobe_opts(skel->progs.on_call, -1, NULL, 0, &opts), EINVAL);
	CHECK_NULL(bpf_program__attach_uprobe_opts(skel->progs.on_call, 999999999, BINARY, 0, &opts), ESRCH);
	CHECK_NULL(bpf_program__attach_uprobe_opts(skel->progs.on_call, -2, BINARY, 0, &opts), ESRCH);
	opts.attach_mode = PROBE_ATTACH_MODE_LEGACY;
	CHECK_NULL(bpf_program__attach_uprobe_opts(skel->progs.on_call, -1, BINARY, 0, &opts), ENOTSUP);
	opts.attach_mode = PROBE_ATTACH_MODE_PERF;
	CHECK_NULL(bpf_program__attach_uprobe_opts(skel->progs.on_call, -1, BINARY, 0, &opts), ENOTSUP);
	opts.sz = 0;
	CHECK_NULL(bpf_program__attach_uprobe_opts(skel->progs.on_call, -1, BINARY, 0, &opts), EINVAL);

	// Found in the folders of PATH.
	LIBBPF_OPTS_RESET(opts, .func_name = "probed_add");
	link = bpf_program__attach_uprobe_opts(skel->progs.on_call, -1, "probed", 0, &opts);
	CHECK(link);
	CHECK_SEES(calls);
	CHECK_IS(bpf_link__destroy(link), 0);
}

static void many(void)
{
	const char *names[] = { "probed_add", "other_function" };
	unsigned long offsets[] = { offset_of("probed_double"), offset_of("other_function") };
	__u64 cookies[] = { 1ull << 40, 2 };
	LIBBPF_OPTS(bpf_uprobe_multi_opts, opts);
	LIBBPF_OPTS(bpf_link_create_opts, create, .uprobe_multi = { .path = BINARY, .offsets = offsets, .cookies = cookies, .cnt = 2 });
	struct bpf_link *link = bpf_program__attach_uprobe_multi(skel->progs.on_many, -1, BINARY, "probed_*", NULL);
	struct bpf_link_info info = { 0 };
	__u32 length = sizeof(info);
	int fd;

	CHECK(link);
	CHECK_SEES(many);
	CHECK_IS(skel->bss->many_cookies, 0);
	CHECK_IS(bpf_link_get_info_by_fd(bpf_link__fd(link), &info, &length), 0);
	CHECK_IS(info.type, 12);
	CHECK_IS(bpf_link__destroy(link), 0);
	CHECK_SEES_NOT(many);

	opts.syms = names;
	opts.cookies = cookies;
	opts.cnt = 2;
	link = bpf_program__attach_uprobe_multi(skel->progs.on_many, target, BINARY, NULL, &opts);
	CHECK(link);
	CHECK_SEES(many);
	CHECK_IS(skel->bss->many_cookies, cookies[0] | cookies[1]);
	CHECK_IS(bpf_link__destroy(link), 0);

	LIBBPF_OPTS_RESET(opts, .offsets = offsets, .cnt = 2, .retprobe = true);
	link = bpf_program__attach_uprobe_multi(skel->progs.on_many, -1, BINARY, NULL, &opts);
	CHECK(link);
	CHECK_SEES(many);
	CHECK_IS(bpf_link__destroy(link), 0);
	link = bpf_program__attach_uprobe_multi(skel->progs.on_many, -1, BINARY, "other_function", NULL);
	CHECK(link);
	CHECK_SEES(many);
	CHECK_IS(bpf_link__destroy(link), 0);

	skel->bss->many_cookies = 0;
	fd = bpf_link_create(bpf_program__fd(skel->progs.on_many), 0, UPROBE_MULTI, &create);
	CHECK(fd >= 0);
	CHECK_SEES(many);
	CHECK_IS(skel->bss->many_cookies, cookies[0] | cookies[1]);
	CHECK_IS(close(fd), 0);
	CHECK_SEES_NOT(many);
	create.uprobe_multi.pid = getpid();
	fd = bpf_link_create(bpf_program__fd(skel->progs.on_many), 0, UPROBE_MULTI, &create);
	CHECK(fd >= 0);
	CHECK_SEES_NOT(many);
	CHECK_IS(close(fd), 0);
	create.uprobe_multi.flags = 8;
	CHECK_ERR(bpf_link_create(bpf_program__fd(skel->progs.on_many), 0, UPROBE_MULTI, &create), EINVAL);
	CHECK_ERR(bpf_link_create(bpf_program__fd(skel->progs.on_many), 0, UPROBE_MULTI, NULL), EINVAL);

	CHECK_NULL(bpf_program__attach_uprobe_multi(skel->progs.on_many, -1, BINARY, "probed_*", &opts), EINVAL);
	opts.syms = names;
	CHECK_NULL(bpf_program__attach_uprobe_multi(skel->progs.on_many, -1, BINARY, NULL, &opts), EINVAL);
	CHECK_NULL(bpf_program__attach_uprobe_multi(skel->progs.on_many, -1, BINARY, NULL, NULL), EINVAL);
	CHECK_NULL(bpf_program__attach_uprobe_multi(skel->progs.on_many, -1, BINARY, "no_such_*", NULL), ENOENT);
	CHECK_NULL(bpf_program__attach_uprobe_multi(skel->progs.on_call, -1, BINARY, "probed_*", NULL), EINVAL);
	LIBBPF_OPTS_RESET(opts, .syms = names, .cnt = 2, .retprobe = true, .session = true);
	CHECK_NULL(bpf_program__attach_uprobe_multi(skel->progs.on_many, -1, BINARY, NULL, &opts), EINVAL);
	names[1] = NULL;
	opts.session = false;
	CHECK_NULL(bpf_program__attach_uprobe_multi(skel->progs.on_many, -1, BINARY, NULL, &opts), EINVAL);
}

static void usdt(void)
{
	LIBBPF_OPTS(bpf_usdt_opts, opts, .usdt_cookie = 0x1234567890abcdef);
	struct bpf_link *link = bpf_program__attach_usdt(skel->progs.on_step, -1, BINARY, "wasm_bpf", "step", NULL), *other;

	CHECK(link);
	CHECK_SEES(steps);
	CHECK_IS(skel->bss->argument, 5);
	CHECK_IS(skel->bss->usdt_cookie, 0);
	CHECK_IS(bpf_link__destroy(link), 0);
	CHECK_SEES_NOT(steps);
	link = bpf_program__attach_usdt(skel->progs.on_step, target, "probed", "wasm_bpf", "step", &opts);
	CHECK(link);
	CHECK_SEES(steps);
	CHECK_IS(skel->bss->usdt_cookie, opts.usdt_cookie);

	// Its semaphore tells the target that somebody looks.
	CHECK_IS(skel->bss->wanted, 0);
	other = bpf_program__attach_usdt(skel->progs.on_wanted, -1, BINARY, "wasm_bpf", "wanted", NULL);
	CHECK(other);
	CHECK_SEES(wanted);
	CHECK_IS(skel->bss->wanted_argument, 50);
	CHECK_IS(bpf_link__destroy(other), 0);
	CHECK_SEES_NOT(wanted);
	CHECK_SEES(steps);
	CHECK_IS(bpf_link__destroy(link), 0);

	CHECK_NULL(bpf_program__attach_usdt(skel->progs.on_step, -1, BINARY, "wasm_bpf", "no_such", NULL), ENOENT);
	CHECK_NULL(bpf_program__attach_usdt(skel->progs.on_step, -1, BINARY, NULL, "step", NULL), EINVAL);
	CHECK_NULL(bpf_program__attach_usdt(skel->progs.on_step, -1, "/target/no_such_file", "wasm_bpf", "step", NULL), ENOENT);
	opts.sz = 1;
	CHECK_NULL(bpf_program__attach_usdt(skel->progs.on_step, -1, BINARY, "wasm_bpf", "step", &opts), EINVAL);
}

int main(void)
{
	target = atoi(getenv("TARGET_PID"));
	CHECK(target > 0);
	CHECK_IS(setenv("PATH", "/nowhere:/target", 1), 0);
	skel = attach_uprobe_bpf__open_and_load();
	CHECK(skel);
	one();
	many();
	usdt();
	attach_uprobe_bpf__destroy(skel);
	return 0;
}
