// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is attached to cgroups, and to what a process has open.
// needs: cgroup
#include <fcntl.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "check.h"
#include "kernel.skel.h"

static struct kernel_bpf *skel;

static __u32 id_of(const struct bpf_program *program)
{
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);

	CHECK_IS(bpf_prog_get_info_by_fd(bpf_program__fd(program), &info, &length), 0);
	return info.id;
}

static void cgroups(void)
{
	LIBBPF_OPTS(bpf_prog_query_opts, opts);
	__u32 ids[4] = {}, flags[4] = { 9, 9, 9, 9 }, attach_flags = 9, count = 4;
	const int cgroup = open("/cgroup", O_RDONLY | O_DIRECTORY);
	struct bpf_link *link;

	CHECK(cgroup >= 0);
	CHECK_IS(bpf_prog_query(cgroup, BPF_CGROUP_INET_SOCK_CREATE, 0, NULL, ids, &count), 0);
	CHECK_IS(count, 0);
	link = bpf_program__attach_cgroup(skel->progs.allow, cgroup);
	CHECK(link);
	count = 4;
	CHECK_IS(bpf_prog_query(cgroup, BPF_CGROUP_INET_SOCK_CREATE, 0, &attach_flags, ids, &count), 0);
	CHECK_IS(count, 1);
	CHECK_IS(ids[0], id_of(skel->progs.allow));
	CHECK_IS(attach_flags, BPF_F_ALLOW_MULTI);
	// How many, without room for one.
	count = 0;
	CHECK_IS(bpf_prog_query(cgroup, BPF_CGROUP_INET_SOCK_CREATE, 0, NULL, NULL, &count), 0);
	CHECK_IS(count, 1);
	// Once more, without a link.
	CHECK_IS(bpf_prog_attach(bpf_program__fd(skel->progs.allow), cgroup, BPF_CGROUP_INET_SOCK_CREATE, BPF_F_ALLOW_MULTI), 0);
	ids[0] = ids[1] = 0;
	count = 1;
	CHECK_ERR(bpf_prog_query(cgroup, BPF_CGROUP_INET_SOCK_CREATE, 0, NULL, ids, &count), ENOSPC);
	CHECK_IS(count, 2);
	CHECK(ids[0] && !ids[1]);
	opts.prog_ids = ids;
	opts.prog_attach_flags = flags;
	opts.query_flags = BPF_F_QUERY_EFFECTIVE;
	opts.count = 4;
	CHECK_IS(bpf_prog_query_opts(cgroup, BPF_CGROUP_INET_SOCK_CREATE, &opts), 0);
	CHECK(opts.count >= 2);
	CHECK_IS(opts.attach_flags, 0);
	CHECK_IS(ids[0], id_of(skel->progs.allow));
	CHECK(flags[0] != 9);
	opts.query_flags = 1 << 7;
	CHECK_ERR(bpf_prog_query_opts(cgroup, BPF_CGROUP_INET_SOCK_CREATE, &opts), EINVAL);
	opts.query_flags = 0;
	CHECK_ERR(bpf_prog_query_opts(cgroup, BPF_XDP, &opts), EINVAL);
	CHECK_ERR(bpf_prog_query_opts(77, BPF_CGROUP_INET_SOCK_CREATE, &opts), EBADF);
	CHECK_ERR(bpf_prog_query_opts(1, BPF_SK_MSG_VERDICT, &opts), ENOTSUP);
	opts.sz = 2;
	CHECK_ERR(bpf_prog_query_opts(cgroup, BPF_CGROUP_INET_SOCK_CREATE, &opts), EINVAL);
	CHECK_IS(bpf_prog_detach2(bpf_program__fd(skel->progs.allow), cgroup, BPF_CGROUP_INET_SOCK_CREATE), 0);
	bpf_link__destroy(link);
	close(cgroup);
}

// This process is the host: the raw tracepoint of its guest is among what it has open.
static void process(void)
{
	struct bpf_link *link = bpf_program__attach(skel->progs.watch);
	__u32 length, id = 0, type = 9;
	__u64 offset, address;
	char name[32];
	int fd, err = -1;

	CHECK(link);
	for (fd = 0; fd < 256; fd++) {
		length = sizeof(name);
		err = bpf_task_fd_query(getpid(), fd, 0, name, &length, &id, &type, &offset, &address);
		if (!err && id == id_of(skel->progs.watch))
			break;
	}
	CHECK_IS(err, 0);
	CHECK_IS(id, id_of(skel->progs.watch));
	CHECK_TEXT(name, "sys_enter");
	CHECK_IS(length, strlen("sys_enter"));
	CHECK_IS(type, 0);
	length = 4;
	CHECK_ERR(bpf_task_fd_query(getpid(), fd, 0, name, &length, &id, &type, &offset, &address), ENOSPC);
	CHECK_TEXT(name, "sys");
	CHECK_IS(length, strlen("sys_enter"));
	CHECK_ERR(bpf_task_fd_query(getpid(), fd, 1, name, &length, &id, &type, &offset, &address), EINVAL);
	CHECK_ERR(bpf_task_fd_query(0x7fffffff, 1, 0, name, &length, &id, &type, &offset, &address), ENOENT);
	bpf_link__destroy(link);
}

int main(void)
{
	libbpf_set_print(NULL);
	skel = kernel_bpf__open_and_load();
	CHECK(skel);
	cgroups();
	process();
	kernel_bpf__destroy(skel);
	return 0;
}
