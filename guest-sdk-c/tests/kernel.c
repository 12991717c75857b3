// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is in the kernel, by ids: programs, maps, links and types are found in the lists, opened, and described in structs of any size.
// Programs count their runs.
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "check.h"
#include "kernel.skel.h"

static struct kernel_bpf *skel;

// Whether a list has an id; it ends where it ends.
static bool is_listed(int (*next)(__u32 id, __u32 *found), __u32 wanted)
{
	bool is_there = false;
	__u32 id = 0, last;
	int err;

	do {
		last = id;
		err = next(id, &id);
		CHECK(err || id > last);
		is_there |= !err && id == wanted;
	} while (!err);
	CHECK_IS(err, -ENOENT);
	CHECK_IS(errno, ENOENT);
	CHECK_IS(id, last);
	return is_there;
}

static struct bpf_prog_info program_info(int fd)
{
	struct bpf_prog_info info = {};
	__u32 length = sizeof(info);

	CHECK_IS(bpf_prog_get_info_by_fd(fd, &info, &length), 0);
	CHECK_IS(length, sizeof(info));
	return info;
}

static struct bpf_map_info map_info(int fd)
{
	struct bpf_map_info info = {};
	__u32 length = sizeof(info);

	CHECK_IS(bpf_map_get_info_by_fd(fd, &info, &length), 0);
	CHECK(length <= sizeof(info));
	return info;
}

static void maps(void)
{
	LIBBPF_OPTS(bpf_get_fd_by_id_opts, opts, .open_flags = BPF_F_RDONLY);
	const struct bpf_map_info info = map_info(bpf_map__fd(skel->maps.three));
	struct {
		struct bpf_map_info info;
		__u64 later;
	} larger = {};
	struct {
		__u32 type, id;
	} smaller = {};
	__u32 key = 2, length;
	__u64 value = 9;
	int fd;

	CHECK_IS(info.type, BPF_MAP_TYPE_ARRAY);
	CHECK_IS(info.key_size, 4);
	CHECK_IS(info.value_size, 8);
	CHECK_IS(info.max_entries, 3);
	CHECK_TEXT(info.name, "three");
	CHECK(info.id);
	CHECK(is_listed(bpf_map_get_next_id, info.id));

	fd = bpf_map_get_fd_by_id_opts(info.id, &opts);
	CHECK(fd >= 0);
	CHECK_IS(map_info(fd).id, info.id);
	CHECK_IS(bpf_map_lookup_elem(fd, &key, &value), 0);
	CHECK_IS(value, 0);
	CHECK_ERR(bpf_map_update_elem(fd, &key, &value, BPF_ANY), EPERM);
	CHECK_IS(close(fd), 0);
	fd = bpf_map_get_fd_by_id(info.id);
	CHECK(fd >= 0);
	value = 9;
	CHECK_IS(bpf_map_update_elem(fd, &key, &value, BPF_ANY), 0);
	value = 0;
	CHECK_IS(bpf_map__lookup_elem(skel->maps.three, &key, sizeof(key), &value, sizeof(value), 0), 0);
	CHECK_IS(value, 9);

	// Structs of other sizes.
	length = sizeof(smaller);
	CHECK_IS(bpf_obj_get_info_by_fd(fd, &smaller, &length), 0);
	CHECK_IS(length, sizeof(smaller));
	CHECK_IS(smaller.id, info.id);
	length = sizeof(larger);
	CHECK_IS(bpf_obj_get_info_by_fd(fd, &larger, &length), 0);
	CHECK_IS(length, sizeof(info));
	CHECK_IS(larger.info.id, info.id);
	larger.later = 1;
	length = sizeof(larger);
	CHECK_ERR(bpf_obj_get_info_by_fd(fd, &larger, &length), E2BIG);
	CHECK_IS(close(fd), 0);

	CHECK_ERR(bpf_map_get_fd_by_id(0x7fffffff), ENOENT);
	opts.open_flags = BPF_F_WRONLY;
	CHECK_ERR(bpf_map_get_fd_by_id_opts(info.id, &opts), EINVAL);
	opts.open_flags = 0;
	opts.token_fd = 3;
	CHECK_ERR(bpf_map_get_fd_by_id_opts(info.id, &opts), EOPNOTSUPP);
	length = sizeof(larger);
	CHECK_ERR(bpf_map_get_info_by_fd(bpf_program__fd(skel->progs.watch), &larger.info, &length), EBADF);
}

static void programs(void)
{
	LIBBPF_OPTS(bpf_get_fd_by_id_opts, opts, .open_flags = 1);
	const int program = bpf_program__fd(skel->progs.watch);
	struct bpf_prog_info info = program_info(program);
	__u32 id = info.id, ids[2] = {}, length;
	int fd;

	CHECK_IS(info.type, BPF_PROG_TYPE_RAW_TRACEPOINT);
	CHECK_TEXT(info.name, "watch");
	CHECK(info.xlated_prog_len >= 8 && info.xlated_prog_len % 8 == 0);
	CHECK(info.gpl_compatible);
	CHECK(info.load_time);
	CHECK(info.btf_id);
	CHECK(info.tag[0] || info.tag[1] || info.tag[2] || info.tag[3]);
	CHECK_IS(info.nr_map_ids, 1);
	CHECK(is_listed(bpf_prog_get_next_id, id));

	memset(&info, 0, sizeof(info));
	info.nr_map_ids = 2;
	info.map_ids = (uintptr_t)ids;
	length = sizeof(info);
	CHECK_IS(bpf_obj_get_info_by_fd(program, &info, &length), 0);
	CHECK_IS(info.nr_map_ids, 1);
	CHECK_IS(ids[0], map_info(bpf_map__fd(skel->maps.three)).id);
	CHECK_IS(ids[1], 0);

	fd = bpf_prog_get_fd_by_id(id);
	CHECK(fd >= 0 && fd != program);
	CHECK_IS(program_info(fd).id, id);
	CHECK_IS(close(fd), 0);
	length = sizeof(info);
	CHECK_ERR(bpf_prog_get_info_by_fd(fd, &info, &length), EBADF);
	CHECK_ERR(bpf_prog_get_fd_by_id(0x7fffffff), ENOENT);
	CHECK_ERR(bpf_prog_get_fd_by_id_opts(id, &opts), EINVAL);
	fd = bpf_prog_get_fd_by_id_opts(id, NULL);
	CHECK(fd >= 0);
	CHECK_IS(close(fd), 0);
}

static void links(struct bpf_link *link)
{
	LIBBPF_OPTS(bpf_get_fd_by_id_opts, opts, .token_fd = 1);
	struct bpf_link_info info = {};
	__u32 length = sizeof(info), id;
	char name[32] = "";
	int fd;

	CHECK_IS(bpf_link_get_info_by_fd(bpf_link__fd(link), &info, &length), 0);
	CHECK_IS(info.type, BPF_LINK_TYPE_RAW_TRACEPOINT);
	CHECK_IS(info.prog_id, program_info(bpf_program__fd(skel->progs.watch)).id);
	CHECK_IS(info.raw_tracepoint.tp_name_len, strlen("sys_enter") + 1);
	id = info.id;
	CHECK(is_listed(bpf_link_get_next_id, id));

	memset(&info, 0, sizeof(info));
	info.raw_tracepoint.tp_name = (uintptr_t)name;
	info.raw_tracepoint.tp_name_len = sizeof(name);
	length = sizeof(info);
	CHECK_IS(bpf_obj_get_info_by_fd(bpf_link__fd(link), &info, &length), 0);
	CHECK_TEXT(name, "sys_enter");
	CHECK_IS(info.id, id);
	info.raw_tracepoint.tp_name_len = 4;
	CHECK_ERR(bpf_link_get_info_by_fd(bpf_link__fd(link), &info, &length), ENOSPC);
	CHECK_TEXT(name, "sys");
	info.raw_tracepoint.tp_name_len = 0;
	CHECK_ERR(bpf_link_get_info_by_fd(bpf_link__fd(link), &info, &length), EINVAL);

	fd = bpf_link_get_fd_by_id(id);
	CHECK(fd >= 0);
	memset(&info, 0, sizeof(info));
	CHECK_IS(bpf_link_get_info_by_fd(fd, &info, &length), 0);
	CHECK_IS(info.id, id);
	CHECK_IS(close(fd), 0);
	CHECK_ERR(bpf_link_get_fd_by_id(0x7fffffff), ENOENT);
	CHECK_ERR(bpf_link_get_fd_by_id_opts(id, &opts), EOPNOTSUPP);
	CHECK_ERR(bpf_link_get_info_by_fd(bpf_map__fd(skel->maps.three), &info, &length), EBADF);
	CHECK_ERR(bpf_obj_get_info_by_fd(1, &info, &length), EBADF);
}

static void iterator(void)
{
	struct bpf_link *link = bpf_program__attach_iter(skel->progs.tasks, NULL);
	struct bpf_link_info info = {};
	__u32 length = sizeof(info);
	char name[16];

	CHECK(link);
	info.iter.target_name = (uintptr_t)name;
	info.iter.target_name_len = sizeof(name);
	CHECK_IS(bpf_link_get_info_by_fd(bpf_link__fd(link), &info, &length), 0);
	CHECK_IS(info.type, BPF_LINK_TYPE_ITER);
	CHECK_TEXT(name, "task");
	CHECK_IS(info.iter.target_name_len, 5);
	CHECK_IS(bpf_link__destroy(link), 0);
}

static void types(void)
{
	const __u32 id = program_info(bpf_program__fd(skel->progs.watch)).btf_id;
	LIBBPF_OPTS(bpf_get_fd_by_id_opts, opts, .open_flags = 1);
	struct bpf_btf_info info = {};
	__u32 length = sizeof(info), size, kernel = 0;
	struct btf *btf, *same;
	const void *raw;
	char name[16];
	void *data;
	int fd;

	CHECK(is_listed(bpf_btf_get_next_id, id));
	fd = bpf_btf_get_fd_by_id(id);
	CHECK(fd >= 0);
	CHECK_IS(bpf_btf_get_info_by_fd(fd, &info, &length), 0);
	CHECK_IS(info.id, id);
	CHECK_IS(info.kernel_btf, 0);
	CHECK_IS(info.name_len, 0);
	size = info.btf_size;
	CHECK(size > 100);
	data = malloc(size);
	CHECK(data);
	info = (struct bpf_btf_info){ .btf = (uintptr_t)data, .btf_size = size };
	CHECK_IS(bpf_obj_get_info_by_fd(fd, &info, &length), 0);
	CHECK_IS(info.btf_size, size);
	btf = btf__new(data, size);
	CHECK(btf);
	CHECK(btf__find_by_name_kind(btf, "watch", BTF_KIND_FUNC) > 0);
	same = btf__load_from_kernel_by_id(id);
	CHECK(same);
	raw = btf__raw_data(same, &length);
	CHECK(length == size && !memcmp(raw, data, size));
	btf__free(same);
	// With a descriptor of its own, which goes with it.
	btf__set_fd(btf, fd);
	CHECK_IS(btf__fd(btf), fd);
	btf__free(btf);
	length = sizeof(info);
	CHECK_ERR(bpf_btf_get_info_by_fd(fd, &info, &length), EBADF);
	free(data);

	// Those of the kernel itself are among them.
	for (__u32 next = 0; !bpf_btf_get_next_id(next, &next);) {
		fd = bpf_btf_get_fd_by_id_opts(next, NULL);
		if (fd < 0)
			continue;
		info = (struct bpf_btf_info){ .name = (uintptr_t)name, .name_len = sizeof(name) };
		length = sizeof(info);
		if (!bpf_btf_get_info_by_fd(fd, &info, &length) && !strcmp(name, "vmlinux"))
			kernel = info.kernel_btf;
		info = (struct bpf_btf_info){ .name = (uintptr_t)name, .name_len = 3 };
		if (kernel)
			CHECK_ERR(bpf_btf_get_info_by_fd(fd, &info, &length), ENOSPC);
		CHECK_IS(close(fd), 0);
		if (kernel)
			break;
	}
	CHECK_IS(kernel, 1);
	CHECK_ERR(bpf_btf_get_fd_by_id(0), ENOENT);
	CHECK_ERR(bpf_btf_get_fd_by_id(0x7fffffff), ENOENT);
	CHECK_ERR(bpf_btf_get_fd_by_id_opts(id, &opts), EINVAL);
}

// Runs are counted as long as the descriptor is open.
static void statistics(void)
{
	const int program = bpf_program__fd(skel->progs.watch);
	__u64 before, counted;
	int fd;

	fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	CHECK(fd >= 0);
	before = program_info(program).run_cnt;
	usleep(1000);
	counted = program_info(program).run_cnt;
	CHECK(counted > before);
	CHECK(program_info(program).run_time_ns > 0);
	CHECK_IS(close(fd), 0);
	CHECK_ERR(bpf_enable_stats(77), EINVAL);
}

int main(void)
{
	struct bpf_link *link;

	libbpf_set_print(NULL);
	skel = kernel_bpf__open_and_load();
	CHECK(skel);
	link = bpf_program__attach(skel->progs.watch);
	CHECK(link);
	maps();
	programs();
	links(link);
	iterator();
	types();
	statistics();
	bpf_link__destroy(link);
	kernel_bpf__destroy(skel);
	return 0;
}
