// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a program printed to its own streams is taken out, in pieces of the buffer's size, and once.
#include <stdio.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "check.h"
#include "prog_stream.skel.h"
#include "wasm_bpf.h"

int main(void)
{
	wasm_bpf_bpf_features_kernel_version_t version;
	struct prog_stream_bpf *skel;
	LIBBPF_OPTS(bpf_prog_stream_read_opts, opts);
	char text[64];
	int fd;

	wasm_bpf_bpf_features_version(&version);
	skel = prog_stream_bpf__open_and_load();
	CHECK(skel);
	fd = bpf_program__fd(skel->progs.say);
	CHECK_IS(bpf_prog_test_run_opts(fd, NULL), 0);
	if (version.major < 6 || (version.major == 6 && version.minor < 17)) {
		CHECK_IS(skel->data->answer, -1);
		CHECK_ERR(bpf_prog_stream_read(fd, 1, text, sizeof(text), NULL), EOPNOTSUPP);
		return 0;
	}
	if (skel->data->answer != -12) {
		CHECK_IS(skel->data->answer, 0);
		CHECK_IS(bpf_prog_stream_read(fd, 1, text, 3, &opts), 3);
		CHECK_IS(memcmp(text, "out", 3), 0);
		CHECK_IS(bpf_prog_stream_read(fd, 1, text, sizeof(text), NULL), 4);
		CHECK_IS(memcmp(text, " 42\n", 4), 0);
		CHECK_IS(bpf_prog_stream_read(fd, 2, text, sizeof(text), NULL), 7);
		CHECK_IS(memcmp(text, "err 42\n", 7), 0);
	} else {
		puts("this kernel has no memory for what a program prints, as in some virtual machines: only the errors are tried");
	}
	CHECK_IS(bpf_prog_stream_read(fd, 1, text, sizeof(text), NULL), 0);
	CHECK_ERR(bpf_prog_stream_read(fd, 2, text, 0, NULL), EINVAL);
	CHECK_ERR(bpf_prog_stream_read(fd, 77, text, sizeof(text), NULL), ENOENT);
	CHECK_ERR(bpf_prog_stream_read(4711, 1, text, sizeof(text), NULL), EBADF);
	opts.sz = 0;
	CHECK_ERR(bpf_prog_stream_read(fd, 1, text, sizeof(text), &opts), EINVAL);
	prog_stream_bpf__destroy(skel);
	return 0;
}
