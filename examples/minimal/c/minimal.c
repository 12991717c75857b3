// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The least that a tool has: it loads a BPF program, attaches it and reads what it counts, with global variables alone.
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "minimal.skel.h"

static volatile sig_atomic_t exiting;

static void on_signal(int signal)
{
	(void)signal;
	exiting = 1;
}

int main(void)
{
	struct minimal_bpf *skel;
	int err;

	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	skel = minimal_bpf__open_and_load();
	if (!skel) {
		fprintf(stderr, "minimal: cannot load the BPF object: %s\n", strerror(errno));
		return 1;
	}
	skel->bss->my_pid = getpid();
	err = minimal_bpf__attach(skel);
	if (err) {
		fprintf(stderr, "minimal: cannot attach the BPF program: %s\n", strerror(-err));
		goto cleanup;
	}
	fprintf(stderr, "minimal: counting the system calls of this process; Ctrl-C ends it\n");
	while (!exiting) {
		sleep(1);
		// Sleeping and printing are system calls, too.
		printf("%llu system calls, the last has number %llu and was on CPU %u\n",
		       (unsigned long long)skel->bss->calls, (unsigned long long)skel->bss->last_number,
		       skel->bss->last_cpu);
		fflush(stdout);
	}

cleanup:
	minimal_bpf__destroy(skel);
	return err < 0 ? 1 : 0;
}
