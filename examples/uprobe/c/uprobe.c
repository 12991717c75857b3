// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Prints the calls of a function of a program.
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>
#include <linux/types.h>

#include "uprobe.h"
#include "uprobe.skel.h"

static struct {
	const char *binary, *function;
	int pid;
} env = { .function = "uprobed_add", .pid = -1 };

const char *argp_program_version = "uprobe 0.1";
static const char doc[] =
	"Prints the calls of a function of a program or library: its first two arguments and its result, taken as "
	"integers, and how long it took.\n"
	"\n"
	"EXAMPLES:\n"
	"    uprobe ./target                          # uprobed_add, in all processes that run it\n"
	"    uprobe -f atoi /lib/x86_64-linux-gnu/libc.so.6\n";
static const char arguments[] = "BINARY";

static const struct argp_option options[] = {
	{ "function", 'f', "NAME", 0, "The function (default: uprobed_add)", 0 },
	{ "pid", 'p', "PID", 0, "Only in this process", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	unsigned long pid;
	char *end;

	switch (key) {
	case 'f':
		env.function = argument;
		break;
	case 'p':
		errno = 0;
		pid = strtoul(argument, &end, 10);
		if (errno || end == argument || *end || !pid || pid > 0x7fffffff)
			argp_error(state, "not a process ID: %s", argument);
		env.pid = pid;
		break;
	case ARGP_KEY_ARG:
		if (env.binary)
			argp_usage(state);
		env.binary = argument;
		break;
	case ARGP_KEY_END:
		if (!env.binary)
			argp_error(state, "which binary?");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static volatile sig_atomic_t exiting;

static void on_signal(int signal)
{
	(void)signal;
	exiting = 1;
}

static int on_event(void *context, void *data, size_t size)
{
	const struct event *event = data;

	(void)context;
	if (size < sizeof(*event))
		return 0;
	printf("%7u %s(%lld, %lld) = %lld (%.1f us)\n", event->pid, env.function, (long long)event->first,
	       (long long)event->second, (long long)event->result, event->duration_ns / 1e3);
	return 0;
}

int main(int argc, char **argv)
{
	const struct argp argp = { .options = options, .parser = parse_option, .args_doc = arguments, .doc = doc };
	struct ring_buffer *ring = NULL;
	struct uprobe_bpf *skel;
	int err;

	err = argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (err)
		return err;
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);

	skel = uprobe_bpf__open_and_load();
	if (!skel) {
		fprintf(stderr, "uprobe: cannot load the BPF object: %s\n", strerror(errno));
		return 1;
	}
	ring = ring_buffer__new(bpf_map__fd(skel->maps.events), on_event, NULL, NULL);
	if (!ring) {
		err = -errno;
		fprintf(stderr, "uprobe: cannot open the ring buffer: %s\n", strerror(errno));
		goto cleanup;
	}

	LIBBPF_OPTS(bpf_uprobe_opts, call, .func_name = env.function);
	LIBBPF_OPTS(bpf_uprobe_opts, back, .func_name = env.function, .retprobe = true);
	skel->links.on_return = bpf_program__attach_uprobe_opts(skel->progs.on_return, env.pid, env.binary, 0, &back);
	if (skel->links.on_return)
		skel->links.on_call = bpf_program__attach_uprobe_opts(skel->progs.on_call, env.pid, env.binary, 0, &call);
	if (!skel->links.on_call) {
		err = -errno;
		fprintf(stderr, "uprobe: cannot attach to %s in %s: %s\n", env.function, env.binary, strerror(errno));
		goto cleanup;
	}
	fprintf(stderr, "uprobe: tracing %s; Ctrl-C ends it\n", env.function);
	while (!exiting) {
		err = ring_buffer__poll(ring, -1);
		fflush(stdout);
		if (err < 0 && err != -EINTR) {
			fprintf(stderr, "uprobe: reading the ring buffer: %s\n", strerror(-err));
			break;
		}
		err = 0;
	}

cleanup:
	ring_buffer__free(ring);
	uprobe_bpf__destroy(skel);
	return err < 0 ? 1 : 0;
}
