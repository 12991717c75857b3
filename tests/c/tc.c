// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Counts the UDP packets that come in on an interface by their port, and drops those for one port. Commands come from standard input.
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "tc.skel.h"

static void print_counts(struct tc_bpf *skel)
{
	for (int i = 0; i < 8; i++) {
		if (skel->bss->passed[i])
			printf("port %d: %llu\n", skel->rodata->first_port + i, (unsigned long long)skel->bss->passed[i]);
	}
	printf("dropped: %llu\n", (unsigned long long)skel->bss->dropped);
}

int main(int argc, char **argv)
{
	int err, attached = 0, made = 0;
	struct tc_bpf *skel;
	char line[64];

	if (argc != 3) {
		fprintf(stderr, "usage: tc INTERFACE FIRST-PORT\n");
		return 2;
	}
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = if_nametoindex(argv[1]), .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = 1);
	if (!hook.ifindex) {
		fprintf(stderr, "tc: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	skel = tc_bpf__open();
	if (!skel) {
		fprintf(stderr, "tc: cannot open: %s\n", strerror(errno));
		return 1;
	}
	skel->rodata->first_port = atoi(argv[2]);
	err = tc_bpf__load(skel);
	if (err) {
		fprintf(stderr, "tc: cannot load: %s\n", strerror(-err));
		goto cleanup;
	}
	err = bpf_tc_hook_create(&hook);
	made = !err;
	if (err && err != -EEXIST) {
		fprintf(stderr, "tc: cannot make the hook: %s\n", strerror(-err));
		goto cleanup;
	}
	opts.prog_fd = bpf_program__fd(skel->progs.on_packet);
	err = bpf_tc_attach(&hook, &opts);
	if (err) {
		fprintf(stderr, "tc: cannot attach: %s\n", strerror(-err));
		goto cleanup;
	}
	attached = 1;
	printf("attached: handle %u, priority %u\n", opts.handle, opts.priority);
	LIBBPF_OPTS(bpf_tc_opts, again, .handle = 1, .priority = 1, .prog_fd = opts.prog_fd);
	printf("a second time: %d\n", bpf_tc_attach(&hook, &again));
	opts.prog_fd = opts.prog_id = opts.flags = 0;
	err = bpf_tc_query(&hook, &opts);
	printf("query: %d, a program: %d\n", err, opts.prog_id != 0);
	fflush(stdout);

	while (fgets(line, sizeof(line), stdin)) {
		if (!strncmp(line, "drop ", 5))
			skel->bss->dropped_port = atoi(line + 5);
		else if (!strcmp(line, "counts\n"))
			print_counts(skel);
		else
			printf("unknown: %s", line);
		fflush(stdout);
	}

cleanup:
	if (attached) {
		opts.flags = opts.prog_fd = opts.prog_id = 0;
		err = bpf_tc_detach(&hook, &opts);
		printf("detached: %d\n", err);
		err = bpf_tc_detach(&hook, &opts);
		printf("once more: %d\n", err);
		err = 0;
	}
	if (made)
		bpf_tc_hook_destroy(&hook);
	tc_bpf__destroy(skel);
	return err ? 1 : 0;
}
