// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs run on data and contexts of a test's making: what goes in comes out as the program left it, with its answer. What has no room
// is an error.
#include <stdio.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "check.h"
#include "prog_run.skel.h"

static struct prog_run_bpf *skel;

static void packets(void)
{
	unsigned char packet[64] = { 1, 0, 3 }, out[80];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet), .data_out = out,
		.data_size_out = sizeof(out));
	int fd = bpf_program__fd(skel->progs.on_packet);

	memset(out, 0xee, sizeof(out));
	CHECK_IS(bpf_prog_test_run_opts(fd, &opts), 0);
	CHECK_IS(opts.retval, XDP_PASS);
	CHECK_IS(opts.data_size_out, 64);
	CHECK_IS(out[0], 0xab);
	CHECK_IS(out[2], 3);
	CHECK_IS(out[64], 0xee);
	CHECK_IS(packet[0], 1);
	CHECK_IS(skel->bss->runs, 1);

	opts.repeat = 10;
	packet[1] = 0;
	opts.data_size_out = sizeof(out);
	CHECK_IS(bpf_prog_test_run_opts(fd, &opts), 0);
	CHECK_IS(skel->bss->runs, 11);

	// The packet gets shorter.
	opts.repeat = 0;
	packet[1] = 24;
	opts.data_size_out = sizeof(out);
	CHECK_IS(bpf_prog_test_run_opts(fd, &opts), 0);
	CHECK_IS(opts.data_size_out, 40);

	// No size: as much as there is.
	packet[1] = 0;
	opts.data_size_out = 0;
	CHECK_IS(bpf_prog_test_run_opts(fd, &opts), 0);
	CHECK_IS(opts.data_size_out, 64);

	opts.data_size_out = 10;
	CHECK_ERR(bpf_prog_test_run_opts(fd, &opts), ENOSPC);
	opts.data_size_out = sizeof(out);
	opts.data_in = NULL;
	CHECK_ERR(bpf_prog_test_run_opts(fd, &opts), EINVAL);
	opts.data_in = packet;
	opts.flags = 1u << 30;
	CHECK_ERR(bpf_prog_test_run_opts(fd, &opts), EINVAL);
	opts.flags = 0;
	opts.cpu = 1;
	CHECK_ERR(bpf_prog_test_run_opts(fd, &opts), EINVAL);
	opts.cpu = 0;
	opts.batch_size = 4;
	CHECK_ERR(bpf_prog_test_run_opts(fd, &opts), EINVAL);
	opts.batch_size = 0;
	opts.sz = 1;
	CHECK_ERR(bpf_prog_test_run_opts(fd, &opts), EINVAL);
	CHECK_ERR(bpf_prog_test_run_opts(-1, NULL), EBADF);
}

static void contexts(void)
{
	unsigned char packet[64] = { 0 };
	struct __sk_buff in = { .mark = 41 }, out;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet), .ctx_in = &in, .ctx_size_in = sizeof(in),
		    .ctx_out = &out, .ctx_size_out = sizeof(out));
	int fd = bpf_program__fd(skel->progs.on_context);

	memset(&out, 0, sizeof(out));
	CHECK_IS(bpf_prog_test_run_opts(fd, &opts), 0);
	CHECK_IS(opts.retval, 41);
	CHECK_IS(out.mark, 42);
	CHECK_IS(in.mark, 41);
	CHECK(opts.ctx_size_out >= offsetof(struct __sk_buff, mark) + sizeof(out.mark));
	CHECK_IS(opts.data_size_out, 0);
	opts.ctx_size_in = 0;
	CHECK_ERR(bpf_prog_test_run_opts(fd, &opts), EINVAL);
}

static void arguments(void)
{
	__u64 in[2] = { 0x1111222233334444, 5 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = in, .ctx_size_in = sizeof(in), .flags = BPF_F_TEST_RUN_ON_CPU);
	int fd = bpf_program__fd(skel->progs.on_arguments);

	CHECK_IS(bpf_prog_test_run_opts(fd, &opts), 0);
	CHECK_IS(opts.retval, 7);
	CHECK_IS(skel->bss->arguments[0], in[0]);
	CHECK_IS(skel->bss->arguments[1], 5);
	CHECK_IS(skel->bss->cpu, 0);
	opts.cpu = 100000;
	CHECK(bpf_prog_test_run_opts(fd, &opts) < 0);
}

static void questions(void)
{
	struct {
		__u64 first, second, sum;
	} question = { 40, 2, 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &question, .ctx_size_in = sizeof(question));

	// As native libbpf has it, the context that goes in is the one that comes out.
	CHECK_IS(bpf_prog_test_run_opts(bpf_program__fd(skel->progs.on_question), &opts), 0);
	CHECK_IS(opts.retval, 3);
	CHECK_IS(question.sum, 42);
}

int main(void)
{
	skel = prog_run_bpf__open_and_load();
	CHECK(skel);
	packets();
	contexts();
	arguments();
	questions();
	prog_run_bpf__destroy(skel);
	return 0;
}
