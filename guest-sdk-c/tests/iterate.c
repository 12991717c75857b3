// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Iterators go through tasks, elements of a map and cgroups, all of them or those that are asked for; read() has all that they write,
// however small its buffer is.
// needs: cgroup
#include <fcntl.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "check.h"
#include "iterate.skel.h"

static struct iterate_bpf *skel;
static char text[200000], own[32];

// All that an iterator writes, read so many bytes at a time; how many lines.
static int read_all(int link_fd, size_t piece)
{
	int fd = bpf_iter_create(link_fd), lines = 0;
	size_t length = 0;
	ssize_t got;

	CHECK(fd >= 0);
	while ((got = read(fd, text + length, piece)) > 0) {
		CHECK((size_t)got <= piece);
		length += got;
		CHECK(length + piece < sizeof(text));
	}
	CHECK_IS(got, 0);
	CHECK_IS(read(fd, text, 10), 0);
	CHECK_IS(close(fd), 0);
	text[length] = '\0';
	for (size_t i = 0; i < length; i++)
		lines += text[i] == '\n';
	return lines;
}

static void tasks(void)
{
	union bpf_iter_link_info info = { .task = { .tid = getpid() } };
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));
	struct bpf_link *link = bpf_program__attach_iter(skel->progs.tasks, NULL);
	int lines;

	CHECK(link);
	sprintf(own, "\n%d %d\n", getpid(), getpid());
	lines = read_all(bpf_link__fd(link), 4096);
	CHECK(lines > 1);
	CHECK(strstr(text, own));
	// In small pieces it is the same, but for tasks that come and go.
	CHECK(read_all(bpf_link__fd(link), 7) > lines / 2);
	CHECK(strstr(text, own));

	// Another program takes its place.
	CHECK_IS(bpf_link__update_program(link, skel->progs.counts), 0);
	CHECK_IS(read_all(bpf_link__fd(link), 100), 1);
	CHECK_TEXT(text, "end\n");
	LIBBPF_OPTS(bpf_link_update_opts, update, .flags = BPF_F_REPLACE, .old_prog_fd = bpf_program__fd(skel->progs.tasks));
	CHECK_ERR(bpf_link_update(bpf_link__fd(link), bpf_program__fd(skel->progs.tasks), &update), EPERM);
	update.old_prog_fd = bpf_program__fd(skel->progs.counts);
	CHECK_IS(bpf_link_update(bpf_link__fd(link), bpf_program__fd(skel->progs.tasks), &update), 0);
	CHECK(read_all(bpf_link__fd(link), 4096) > 1);
	update.flags = 0;
	CHECK_ERR(bpf_link_update(bpf_link__fd(link), bpf_program__fd(skel->progs.tasks), &update), EINVAL);
	LIBBPF_OPTS_RESET(update, .old_map_fd = 5);
	CHECK_ERR(bpf_link_update(bpf_link__fd(link), bpf_program__fd(skel->progs.tasks), &update), ENOTSUP);
	CHECK_ERR(bpf_link_update(bpf_link__fd(link), 99, NULL), EBADF);
	CHECK_ERR(bpf_link_update(99, bpf_program__fd(skel->progs.tasks), NULL), EBADF);
	CHECK_IS(bpf_link__destroy(link), 0);

	// One thread; one process.
	link = bpf_program__attach_iter(skel->progs.tasks, &opts);
	CHECK(link);
	CHECK_IS(read_all(bpf_link__fd(link), 4096), 1);
	CHECK_TEXT(text, own + 1);
	CHECK_IS(bpf_link__destroy(link), 0);
	info = (union bpf_iter_link_info){ .task = { .pid = getpid() } };
	link = bpf_program__attach_iter(skel->progs.tasks, &opts);
	CHECK(link);
	CHECK(read_all(bpf_link__fd(link), 4096) >= 1);
	CHECK_IS(atoi(text), getpid());
	CHECK_IS(bpf_link__destroy(link), 0);

	info.task.tid = 1;
	CHECK_NULL(bpf_program__attach_iter(skel->progs.tasks, &opts), EINVAL);
	info = (union bpf_iter_link_info){ .task = { .pid_fd = pidfd_open(getpid(), 0) } };
	link = bpf_program__attach_iter(skel->progs.tasks, &opts);
	CHECK(link);
	CHECK(read_all(bpf_link__fd(link), 4096) >= 1);
	CHECK_IS(atoi(text), getpid());
	CHECK_IS(bpf_link__destroy(link), 0);
	CHECK_IS(close(info.task.pid_fd), 0);
	CHECK_NULL(bpf_program__attach_iter(skel->progs.tasks, &opts), EBADF);
	opts.link_info_len = 0;
	CHECK_NULL(bpf_program__attach_iter(skel->progs.tasks, &opts), EINVAL);
}

static void elements(void)
{
	union bpf_iter_link_info info = { .map = { .map_fd = bpf_map__fd(skel->maps.numbers) } };
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));
	LIBBPF_OPTS(bpf_link_create_opts, create, .iter_info = &info, .iter_info_len = sizeof(info));
	struct bpf_link *link;
	__u64 value;
	int fd;

	for (__u32 key = 0; key < 3000; key++) {
		value = key * 1000003ull;
		CHECK_IS(bpf_map_update_elem(bpf_map__fd(skel->maps.numbers), &key, &value, BPF_ANY), 0);
	}
	link = bpf_program__attach_iter(skel->progs.elements, &opts);
	CHECK(link);
	CHECK_IS(read_all(bpf_link__fd(link), 1000), 3000);
	CHECK(strstr(text, "\n2999=2999008997\n"));
	CHECK_IS(bpf_link__destroy(link), 0);

	// By bpf(2); two that run at a time know nothing of each other.
	fd = bpf_link_create(bpf_program__fd(skel->progs.elements), 0, BPF_TRACE_ITER, &create);
	CHECK(fd >= 0);
	int first = bpf_iter_create(fd), second = bpf_iter_create(fd);
	char piece[5];
	CHECK_IS(read(first, piece, 4), 4);
	CHECK_IS(memcmp(piece, "0=0\n", 4), 0);
	CHECK_IS(read(second, piece, 4), 4);
	CHECK_IS(memcmp(piece, "0=0\n", 4), 0);
	CHECK_IS(close(first), 0);
	CHECK_IS(close(second), 0);
	CHECK_IS(close(fd), 0);
	CHECK_ERR(bpf_iter_create(fd), EBADF);

	CHECK_NULL(bpf_program__attach_iter(skel->progs.elements, NULL), EBADF);
	info.map.map_fd = 3;
	CHECK_NULL(bpf_program__attach_iter(skel->progs.elements, &opts), EBADF);
	create.target_btf_id = 5;
	CHECK_ERR(bpf_link_create(bpf_program__fd(skel->progs.elements), 0, BPF_TRACE_ITER, &create), EINVAL);
}

static void cgroups(void)
{
	union bpf_iter_link_info info = { .cgroup = { .order = BPF_CGROUP_ITER_DESCENDANTS_PRE } };
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));
	struct bpf_link *link;

	CHECK_IS(mkdir("/cgroup/below", 0755), 0);
	info.cgroup.cgroup_fd = open("/cgroup", O_RDONLY | O_DIRECTORY);
	CHECK((int)info.cgroup.cgroup_fd >= 0);
	link = bpf_program__attach_iter(skel->progs.cgroups, &opts);
	CHECK(link);
	CHECK_IS(read_all(bpf_link__fd(link), 4096), 2);
	CHECK_IS(bpf_link__destroy(link), 0);
	info.cgroup.order = BPF_CGROUP_ITER_SELF_ONLY;
	link = bpf_program__attach_iter(skel->progs.cgroups, &opts);
	CHECK(link);
	CHECK_IS(read_all(bpf_link__fd(link), 4096), 1);
	CHECK_IS(bpf_link__destroy(link), 0);
	info.cgroup.order = 77;
	CHECK_NULL(bpf_program__attach_iter(skel->progs.cgroups, &opts), EINVAL);
	close(info.cgroup.cgroup_fd);
	info = (union bpf_iter_link_info){ .cgroup = { .order = BPF_CGROUP_ITER_SELF_ONLY, .cgroup_id = 1 } };
	CHECK_NULL(bpf_program__attach_iter(skel->progs.cgroups, &opts), ENOTSUP);
	CHECK_IS(rmdir("/cgroup/below"), 0);
}

int main(void)
{
	skel = iterate_bpf__open_and_load();
	CHECK(skel);
	tasks();
	elements();
	cgroups();
	CHECK_NULL(bpf_program__attach_iter(skel->progs.elements, &(struct bpf_iter_attach_opts){ .sz = 1 }), EINVAL);
	struct bpf_link *link = bpf_program__attach(skel->progs.tasks);
	CHECK(link);
	CHECK(read_all(bpf_link__fd(link), 4096) > 1);
	CHECK_IS(bpf_link__destroy(link), 0);
	iterate_bpf__destroy(skel);
	return 0;
}
