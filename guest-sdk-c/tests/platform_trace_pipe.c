// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What bpf_printk() writes is read from trace_pipe, as from a file that waits for more.
// needs: tracefs
#include <stdio.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "check.h"
#include "trace_pipe.skel.h"

int main(void)
{
	char line[512], wanted[32];
	struct trace_pipe_bpf *skel;
	bool is_seen = false;
	FILE *stream;

	skel = trace_pipe_bpf__open_and_load();
	CHECK(skel);
	skel->bss->wanted_pid = getpid();
	CHECK_IS(trace_pipe_bpf__attach(skel), 0);
	stream = fopen("/sys/kernel/tracing/trace_pipe", "r");
	CHECK(stream);
	snprintf(wanted, sizeof(wanted), "needle %d", getpid());
	for (int i = 0; i < 1000 && !is_seen; i++) {
		CHECK(fgets(line, sizeof(line), stream));
		is_seen = strstr(line, wanted);
	}
	CHECK(is_seen);
	CHECK_IS(fclose(stream), 0);
	trace_pipe_bpf__destroy(skel);
	return 0;
}
