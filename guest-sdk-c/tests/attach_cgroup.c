// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs of cgroups: by links, with a place among others, and without links in each of the ways in which a cgroup is shared. They act
// as long as they are attached.
// needs: cgroup
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "attach_cgroup.skel.h"
#include "check.h"
#include "wasm_bpf.h"

#define F_BEFORE (1 << 3)

static struct attach_cgroup_bpf *skel;
static int cgroup, first, second;

// The host makes the socket, in the name of this process, which is in the cgroup.
static bool make_socket(void)
{
	int fd;

	// A wait writes and reads global variables.
	usleep(1);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd >= 0)
		close(fd);
	usleep(1);
	return fd >= 0;
}

#define CHECK_SEES(counter) \
	do { \
		__u64 before_ = skel->bss->counter; \
		CHECK(make_socket()); \
		CHECK_IS(skel->bss->counter, before_ + 1); \
	} while (0)

#define CHECK_SEES_NOT(counter) \
	do { \
		__u64 before_ = skel->bss->counter; \
		CHECK(make_socket()); \
		CHECK_IS(skel->bss->counter, before_); \
	} while (0)

// Places among the programs of a cgroup are newer than the rest.
static bool is_before_6_17(void)
{
	wasm_bpf_bpf_features_kernel_version_t version;

	wasm_bpf_bpf_features_version(&version);
	return version.major < 6 || (version.major == 6 && version.minor < 17);
}

static void links(void)
{
	LIBBPF_OPTS(bpf_cgroup_opts, opts, .flags = F_BEFORE);
	struct bpf_link *link = bpf_program__attach_cgroup(skel->progs.first, cgroup), *other;
	int fd;

	CHECK(link);
	CHECK_SEES(by_first);
	// What it answers decides.
	skel->data->allow = 0;
	CHECK(!make_socket());
	skel->data->allow = 1;
	CHECK(make_socket());
	CHECK_IS(bpf_link__update_program(link, skel->progs.second), 0);
	CHECK_SEES(by_second);
	CHECK_SEES_NOT(by_first);

	other = bpf_program__attach_cgroup(skel->progs.first, cgroup);
	CHECK(other);
	CHECK_SEES(by_first);
	CHECK(skel->bss->second_at < skel->bss->first_at);
	CHECK_IS(bpf_link__destroy(other), 0);
	other = bpf_program__attach_cgroup_opts(skel->progs.first, cgroup, &opts);
	if (is_before_6_17()) {
		CHECK(!other && errno == EINVAL);
	} else {
		CHECK(other);
		CHECK_SEES(by_first);
		CHECK(skel->bss->second_at > skel->bss->first_at);
		CHECK_IS(bpf_link__destroy(other), 0);
	}
	CHECK_IS(bpf_link__detach(link), 0);
	CHECK_SEES_NOT(by_second);
	CHECK_IS(bpf_link__destroy(link), 0);

	fd = bpf_link_create(first, cgroup, BPF_CGROUP_INET_SOCK_CREATE, NULL);
	CHECK(fd >= 0);
	CHECK_SEES(by_first);
	CHECK_IS(close(fd), 0);
	CHECK_SEES_NOT(by_first);

	link = bpf_program__attach_cgroup(skel->progs.ops, cgroup);
	CHECK(link);
	CHECK_IS(bpf_link__destroy(link), 0);
	CHECK_NULL(bpf_program__attach_cgroup(skel->progs.first, 4711), EBADF);
	CHECK_NULL(bpf_program__attach_cgroup(skel->progs.first, -1), EBADF);
	CHECK_ERR(bpf_link_create(first, cgroup, BPF_CGROUP_INET_INGRESS, NULL), EINVAL);
	LIBBPF_OPTS_RESET(opts, .flags = BPF_F_ALLOW_MULTI);
	CHECK_NULL(bpf_program__attach_cgroup_opts(skel->progs.first, cgroup, &opts), EINVAL);
	opts.sz = 3;
	CHECK_NULL(bpf_program__attach_cgroup_opts(skel->progs.first, cgroup, &opts), EINVAL);
}

static void alone(void)
{
	int type = BPF_CGROUP_INET_SOCK_CREATE;

	CHECK_ERR(bpf_prog_detach(cgroup, type), ENOENT);
	CHECK_IS(bpf_prog_attach(first, cgroup, type, 0), 0);
	CHECK_SEES(by_first);
	// As in the kernel, another takes its place.
	CHECK_IS(bpf_prog_attach(second, cgroup, type, 0), 0);
	CHECK_SEES(by_second);
	CHECK_SEES_NOT(by_first);
	CHECK_ERR(bpf_prog_detach2(first, cgroup, type), ENOENT);
	CHECK_SEES(by_second);
	CHECK_IS(bpf_prog_detach2(second, cgroup, type), 0);
	CHECK_SEES_NOT(by_second);
	CHECK_IS(bpf_prog_attach(first, cgroup, type, BPF_F_ALLOW_OVERRIDE), 0);
	CHECK_SEES(by_first);
	CHECK_IS(bpf_prog_detach(cgroup, type), 0);
	CHECK_SEES_NOT(by_first);
}

static void many(void)
{
	LIBBPF_OPTS(bpf_prog_attach_opts, opts, .flags = BPF_F_ALLOW_MULTI | BPF_F_REPLACE, .replace_prog_fd = second);
	int type = BPF_CGROUP_INET_SOCK_CREATE, folder = open("/cgroup/below", O_RDONLY | O_DIRECTORY), copy;

	CHECK_IS(bpf_prog_attach(first, cgroup, type, BPF_F_ALLOW_MULTI), 0);
	CHECK_IS(bpf_prog_attach(second, cgroup, type, BPF_F_ALLOW_MULTI), 0);
	CHECK_SEES(by_first);
	CHECK_SEES(by_second);
	CHECK_ERR(bpf_prog_detach(cgroup, type), EINVAL);
	// The same cgroup by another descriptor of it; not the one below.
	CHECK_ERR(bpf_prog_detach2(second, folder, type), ENOENT);
	copy = open("/cgroup", O_RDONLY | O_DIRECTORY);
	CHECK_IS(bpf_prog_detach2(second, copy, type), 0);
	CHECK_SEES_NOT(by_second);
	CHECK_SEES(by_first);
	close(copy);

	CHECK_ERR(bpf_prog_attach_opts(second, cgroup, type, &opts), ENOENT);
	opts.replace_prog_fd = first;
	CHECK_IS(bpf_prog_attach_opts(second, cgroup, type, &opts), 0);
	CHECK_SEES(by_second);
	CHECK_SEES_NOT(by_first);
	CHECK_IS(bpf_prog_detach_opts(second, cgroup, type, NULL), 0);
	CHECK_SEES_NOT(by_second);

	opts.flags = BPF_F_REPLACE;
	CHECK_ERR(bpf_prog_attach_opts(second, cgroup, type, &opts), EINVAL);
	CHECK_ERR(bpf_prog_attach(first, cgroup, type, BPF_F_ALLOW_MULTI | BPF_F_ALLOW_OVERRIDE), EINVAL);
	CHECK_ERR(bpf_prog_attach(first, cgroup, type, 1u << 30), EINVAL);
	CHECK_ERR(bpf_prog_attach(4711, cgroup, type, 0), EBADF);
	CHECK_ERR(bpf_prog_attach(first, 4711, type, 0), EBADF);
	CHECK_ERR(bpf_prog_attach(first, cgroup, BPF_LIRC_MODE2, 0), EOPNOTSUPP);
	CHECK_ERR(bpf_prog_attach(first, cgroup, BPF_XDP, 0), EINVAL);
	close(folder);

	// The program's own number may be closed: what it does goes on.
	copy = dup(first);
	CHECK_IS(bpf_prog_attach(copy, cgroup, type, 0), 0);
	CHECK_IS(close(copy), 0);
	CHECK_SEES(by_first);
	CHECK_IS(bpf_prog_detach2(first, cgroup, type), 0);
	CHECK_SEES_NOT(by_first);
	// What is attached when the program ends goes with it.
	CHECK_IS(bpf_prog_attach(first, cgroup, type, 0), 0);
}

int main(void)
{
	int procs = open("/cgroup/cgroup.procs", O_WRONLY);

	CHECK(procs >= 0);
	CHECK(dprintf(procs, "%d\n", getpid()) > 0);
	close(procs);
	CHECK_IS(mkdir("/cgroup/below", 0755), 0);
	cgroup = open("/cgroup", O_RDONLY | O_DIRECTORY);
	CHECK(cgroup >= 0);
	skel = attach_cgroup_bpf__open_and_load();
	CHECK(skel);
	first = bpf_program__fd(skel->progs.first);
	second = bpf_program__fd(skel->progs.second);
	CHECK_SEES_NOT(by_first);
	links();
	alone();
	many();
	CHECK_IS(rmdir("/cgroup/below"), 0);
	attach_cgroup_bpf__destroy(skel);
	return 0;
}
