// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operations of the kernel are registered, replaced and taken back: the kernel lists the congestion control that a map has.
// needs: kernel=6.4 --dir /proc/sys/net/ipv4
#include <stdio.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "check.h"
#include "attach_struct_ops.skel.h"

#define STRUCT_OPS 44

static bool has(const char *name)
{
	char text[1024] = "";
	FILE *file = fopen("/proc/sys/net/ipv4/tcp_available_congestion_control", "r");

	CHECK(file);
	CHECK(fgets(text, sizeof(text), file));
	fclose(file);
	return strstr(text, name);
}

int main(void)
{
	struct attach_struct_ops_bpf *skel = attach_struct_ops_bpf__open_and_load();
	struct bpf_link *link;
	int fd;

	CHECK(skel);
	CHECK(!has("wb_att_first"));
	link = bpf_map__attach_struct_ops(skel->maps.first);
	CHECK(link);
	CHECK(has("wb_att_first"));
	CHECK_IS(bpf_link__update_map(link, skel->maps.second), 0);
	CHECK(has("wb_att_first"));
	CHECK(bpf_link__update_map(link, skel->maps.another) < 0);
	CHECK_ERR(bpf_link_update(bpf_link__fd(link), bpf_map__fd(skel->maps.first), &(struct bpf_link_update_opts){
		.sz = sizeof(struct bpf_link_update_opts), .flags = BPF_F_REPLACE, .old_prog_fd = 5 }), EINVAL);
	CHECK_NULL(bpf_map__attach_struct_ops(skel->maps.first), EEXIST);
	CHECK_IS(bpf_link__destroy(link), 0);
	CHECK(!has("wb_att_first"));

	fd = bpf_link_create(bpf_map__fd(skel->maps.another), 0, STRUCT_OPS, NULL);
	CHECK(fd >= 0);
	CHECK(has("wb_att_other"));
	CHECK_IS(close(fd), 0);
	CHECK(!has("wb_att_other"));
	CHECK_ERR(bpf_link_create(4711, 0, STRUCT_OPS, NULL), EBADF);
	attach_struct_ops_bpf__destroy(skel);
	return 0;
}
