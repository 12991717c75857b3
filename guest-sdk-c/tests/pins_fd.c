// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pins by descriptor: of a map, a program and a link, opened again as what they are.
// needs: bpffs
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "check.h"
#include "kernel.skel.h"

#define ROOT "/sys/fs/bpf"

int main(void)
{
	LIBBPF_OPTS(bpf_obj_pin_opts, pin_opts);
	LIBBPF_OPTS(bpf_obj_get_opts, get_opts);
	struct kernel_bpf *skel;
	struct bpf_prog_info program = {};
	struct bpf_link_info about = {};
	struct bpf_map_info map = {};
	struct bpf_link *link;
	__u32 length, key = 0;
	__u64 value = 17;
	int fd;

	libbpf_set_print(NULL);
	skel = kernel_bpf__open_and_load();
	CHECK(skel);
	link = bpf_program__attach(skel->progs.watch);
	CHECK(link);
	CHECK_IS(bpf_obj_pin(bpf_map__fd(skel->maps.three), ROOT "/map"), 0);
	CHECK_IS(bpf_obj_pin(bpf_program__fd(skel->progs.watch), ROOT "/program"), 0);
	CHECK_IS(bpf_obj_pin_opts(bpf_link__fd(link), ROOT "/link", &pin_opts), 0);

	CHECK_ERR(bpf_obj_pin(bpf_map__fd(skel->maps.three), ROOT "/map"), EEXIST);
	CHECK_ERR(bpf_obj_pin(1, ROOT "/stdout"), EBADF);
	CHECK_ERR(bpf_obj_pin(bpf_map__fd(skel->maps.three), NULL), EINVAL);
	pin_opts.file_flags = 1;
	CHECK_ERR(bpf_obj_pin_opts(bpf_map__fd(skel->maps.three), ROOT "/flags", &pin_opts), EINVAL);

	fd = bpf_obj_get(ROOT "/map");
	CHECK(fd >= 0);
	length = sizeof(map);
	CHECK_IS(bpf_map_get_info_by_fd(fd, &map, &length), 0);
	CHECK_TEXT(map.name, "three");
	CHECK_IS(bpf_map_update_elem(fd, &key, &value, BPF_ANY), 0);
	value = 0;
	CHECK_IS(bpf_map_lookup_elem(bpf_map__fd(skel->maps.three), &key, &value), 0);
	CHECK_IS(value, 17);
	CHECK_IS(close(fd), 0);

	fd = bpf_obj_get(ROOT "/program");
	CHECK(fd >= 0);
	length = sizeof(program);
	CHECK_IS(bpf_prog_get_info_by_fd(fd, &program, &length), 0);
	CHECK_TEXT(program.name, "watch");
	CHECK_IS(close(fd), 0);

	fd = bpf_obj_get_opts(ROOT "/link", &get_opts);
	CHECK(fd >= 0);
	length = sizeof(about);
	CHECK_IS(bpf_link_get_info_by_fd(fd, &about, &length), 0);
	CHECK_IS(about.prog_id, program.id);
	CHECK_IS(close(fd), 0);

	CHECK_ERR(bpf_obj_get(ROOT "/nothing"), ENOENT);
	CHECK_ERR(bpf_obj_get(NULL), EINVAL);
	get_opts.file_flags = 1;
	CHECK_ERR(bpf_obj_get_opts(ROOT "/map", &get_opts), EINVAL);
	CHECK_IS(unlink(ROOT "/map"), 0);
	CHECK_IS(unlink(ROOT "/program"), 0);
	CHECK_IS(unlink(ROOT "/link"), 0);
	bpf_link__destroy(link);
	kernel_bpf__destroy(skel);
	return 0;
}
