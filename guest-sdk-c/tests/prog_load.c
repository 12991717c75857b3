// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs are loaded from instructions: with maps by their descriptors and by fd_array, for targets in the kernel, with the verifier's
// log when it refuses them.
#include <stdio.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "check.h"

#define INSN(CODE, DST, SRC, OFF, IMM) ((struct bpf_insn){ .code = (CODE), .dst_reg = (DST), .src_reg = (SRC), .off = (OFF), .imm = (IMM) })
#define MOV(DST, IMM) INSN(BPF_ALU64 | BPF_MOV | BPF_K, DST, 0, 0, IMM)
#define EXIT INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
#define LOAD(DST, SRC, FIRST, SECOND) INSN(BPF_LD | BPF_IMM | BPF_DW, DST, SRC, 0, FIRST), INSN(0, 0, 0, 0, SECOND)
#define COUNT(INSNS) (sizeof(INSNS) / sizeof((INSNS)[0]))

static const struct bpf_insn answer_5[] = { MOV(BPF_REG_0, 5), EXIT };

static int run(int fd)
{
	unsigned char packet[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));

	CHECK_IS(bpf_prog_test_run_opts(fd, &opts), 0);
	return opts.retval;
}

static void plain(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_XDP);
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "a_name_that_is_longer_than_15", "GPL", answer_5, COUNT(answer_5), NULL);

	CHECK(fd >= 0);
	CHECK_IS(run(fd), 5);
	CHECK_IS(close(fd), 0);
	fd = bpf_prog_load(BPF_PROG_TYPE_XDP, NULL, NULL, answer_5, COUNT(answer_5), &opts);
	CHECK(fd >= 0);
	CHECK_IS(run(fd), 5);
	CHECK_IS(close(fd), 0);
	CHECK_ERR(bpf_prog_load(BPF_PROG_TYPE_XDP, "n", "GPL", NULL, 0, NULL), EINVAL);
	CHECK(bpf_prog_load(10000, "n", "GPL", answer_5, COUNT(answer_5), NULL) < 0);
}

// The value of an element that the program finds by the map's descriptor, and by its place in fd_array.
static void maps(void)
{
	int first = bpf_map_create(BPF_MAP_TYPE_ARRAY, "first", 4, 8, 1, NULL);
	int second = bpf_map_create(BPF_MAP_TYPE_ARRAY, "second", 4, 8, 1, NULL);
	int array[2] = { first, second };
	__u32 key = 0;
	__u64 value = 11, other = 31;

	CHECK(first >= 0 && second >= 0);
	CHECK_IS(bpf_map_update_elem(first, &key, &value, BPF_ANY), 0);
	CHECK_IS(bpf_map_update_elem(second, &key, &other, BPF_ANY), 0);

	struct bpf_insn by_fd[] = {
		LOAD(BPF_REG_1, BPF_PSEUDO_MAP_VALUE, first, 0),
		LOAD(BPF_REG_2, BPF_PSEUDO_MAP_VALUE, second, 0),
		LOAD(BPF_REG_3, BPF_PSEUDO_MAP_FD, first, 0),
		INSN(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_0, BPF_REG_1, 0, 0),
		INSN(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_2, BPF_REG_2, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_X, BPF_REG_0, BPF_REG_2, 0, 0),
		EXIT,
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "maps", "GPL", by_fd, COUNT(by_fd), NULL);
	CHECK(fd >= 0);
	CHECK_IS(run(fd), 42);
	// The caller's instructions stay as they are.
	CHECK_IS(by_fd[0].imm, first);
	CHECK_IS(by_fd[0].src_reg, BPF_PSEUDO_MAP_VALUE);
	CHECK_IS(close(fd), 0);

	struct bpf_insn by_place[] = {
		LOAD(BPF_REG_1, BPF_PSEUDO_MAP_IDX_VALUE, 1, 0),
		INSN(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_0, BPF_REG_1, 0, 0),
		EXIT,
	};
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .fd_array = array);
	fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "maps", "GPL", by_place, COUNT(by_place), &opts);
	CHECK(fd >= 0);
	CHECK_IS(run(fd), 31);
	CHECK_IS(close(fd), 0);
	opts.fd_array_cnt = 1;
	CHECK_ERR(bpf_prog_load(BPF_PROG_TYPE_XDP, "maps", "GPL", by_place, COUNT(by_place), &opts), EINVAL);
	CHECK_ERR(bpf_prog_load(BPF_PROG_TYPE_XDP, "maps", "GPL", by_place, COUNT(by_place), NULL), EINVAL);
	by_fd[0].imm = 7;
	CHECK_ERR(bpf_prog_load(BPF_PROG_TYPE_XDP, "maps", "GPL", by_fd, COUNT(by_fd), NULL), EBADF);
	close(first);
	close(second);
}

static void logs(void)
{
	const struct bpf_insn broken[] = { INSN(BPF_LDX | BPF_MEM | BPF_DW, BPF_REG_0, BPF_REG_5, 0, 0), EXIT };
	char log[4096], small[16];
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .log_buf = log, .log_size = sizeof(log), .log_level = 1);
	int err;

	memset(log, 'x', sizeof(log));
	err = bpf_prog_load(BPF_PROG_TYPE_XDP, "broken", "GPL", broken, COUNT(broken), &opts);
	CHECK(err < 0);
	CHECK_IS(errno, -err);
	CHECK(strstr(log, "R5 !read_ok"));
	CHECK_IS(opts.log_true_size, strlen(log) + 1);

	// The end of it says why.
	opts.log_buf = small;
	opts.log_size = sizeof(small);
	CHECK(bpf_prog_load(BPF_PROG_TYPE_XDP, "broken", "GPL", broken, COUNT(broken), &opts) < 0);
	CHECK_IS(strlen(small), sizeof(small) - 1);
	CHECK(strstr(log, small));

	opts.log_size = 0;
	CHECK_ERR(bpf_prog_load(BPF_PROG_TYPE_XDP, "broken", "GPL", broken, COUNT(broken), &opts), EINVAL);
	opts.log_size = sizeof(small);
	CHECK(bpf_prog_load(BPF_PROG_TYPE_XDP, "fine", "GPL", answer_5, COUNT(answer_5), &opts) >= 0);
	CHECK_TEXT(small, "");
}

// A function of the kernel that the program is for is given by its type; an iterator is one.
static void targets(void)
{
	const struct bpf_insn nothing[] = { MOV(BPF_REG_0, 0), EXIT };
	union bpf_iter_link_info info = { .task = { .tid = getpid() } };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_ITER);
	LIBBPF_OPTS(bpf_link_create_opts, create, .iter_info = &info, .iter_info_len = sizeof(info));
	int fd, link, iteration;
	char text[8];

	opts.attach_btf_id = libbpf_find_vmlinux_btf_id("task", BPF_TRACE_ITER);
	CHECK((int)opts.attach_btf_id > 0);
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "iterator", "GPL", nothing, COUNT(nothing), &opts);
	CHECK(fd >= 0);
	link = bpf_link_create(fd, 0, BPF_TRACE_ITER, &create);
	CHECK(link >= 0);
	iteration = bpf_iter_create(link);
	CHECK(iteration >= 0);
	CHECK_IS(read(iteration, text, sizeof(text)), 0);
	CHECK_IS(close(iteration), 0);
	CHECK_IS(close(link), 0);
	// It goes through tasks: the number is of a process, not of a map.
	info = (union bpf_iter_link_info){ .task = { .pid_fd = 3 } };
	CHECK_ERR(bpf_link_create(fd, 0, BPF_TRACE_ITER, &create), EBADF);
	CHECK_IS(close(fd), 0);
}

// What cannot be said to the host is refused, and not left out.
static void refused(void)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .prog_ifindex = 1);

	CHECK_ERR(bpf_prog_load(BPF_PROG_TYPE_XDP, "n", "GPL", answer_5, COUNT(answer_5), &opts), ENOTSUP);
	LIBBPF_OPTS_RESET(opts, .attach_prog_fd = 5);
	CHECK_ERR(bpf_prog_load(BPF_PROG_TYPE_EXT, "n", "GPL", answer_5, COUNT(answer_5), &opts), ENOTSUP);
	LIBBPF_OPTS_RESET(opts, .token_fd = 5);
	CHECK_ERR(bpf_prog_load(BPF_PROG_TYPE_XDP, "n", "GPL", answer_5, COUNT(answer_5), &opts), ENOTSUP);
	LIBBPF_OPTS_RESET(opts, .func_info_cnt = 1);
	CHECK_ERR(bpf_prog_load(BPF_PROG_TYPE_XDP, "n", "GPL", answer_5, COUNT(answer_5), &opts), ENOTSUP);
	LIBBPF_OPTS_RESET(opts, .attach_btf_id = 0x7fffffff, .expected_attach_type = BPF_TRACE_RAW_TP);
	CHECK_ERR(bpf_prog_load(BPF_PROG_TYPE_TRACING, "n", "GPL", answer_5, COUNT(answer_5), &opts), EINVAL);
	opts.sz = 0;
	CHECK_ERR(bpf_prog_load(BPF_PROG_TYPE_XDP, "n", "GPL", answer_5, COUNT(answer_5), &opts), EINVAL);
}

int main(void)
{
	plain();
	maps();
	logs();
	targets();
	refused();
	return 0;
}
