// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Prints what is executed, with all arguments.
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>
#include <linux/types.h>

#include "execve.h"
#include "execve.skel.h"
#include "printable.h"

static struct {
	__u32 uid;
	const char *name;
} env = { .uid = -1 };

const char *argp_program_version = "execve 0.1";
static const char doc[] =
	"Prints what is executed, with all arguments.\n"
	"\n"
	"EXAMPLES:\n"
	"    execve            # all\n"
	"    execve -u 1000    # only of this user\n"
	"    execve -n cc      # only programs whose name contains \"cc\"\n";

static const struct argp_option options[] = {
	{ "uid", 'u', "UID", 0, "Only of this user", 0 },
	{ "name", 'n', "NAME", 0, "Only programs whose name contains NAME", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	unsigned long uid;
	char *end;

	switch (key) {
	case 'u':
		errno = 0;
		uid = strtoul(argument, &end, 10);
		if (errno || end == argument || *end || uid >= (__u32)-1)
			argp_error(state, "not a user ID: %s", argument);
		env.uid = uid;
		break;
	case 'n':
		env.name = argument;
		break;
	case ARGP_KEY_ARG:
		argp_usage(state);
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

// An argument that a shell would take apart is put in quotes.
static void print_argument(const char *argument, size_t length)
{
	char text[ARGUMENTS_LENGTH + 1];
	const char *quote;

	printable(text, sizeof(text), argument, length);
	quote = !*text || strpbrk(text, " \t\"'\\$&|;<>()*?`") ? "\"" : "";
	printf(" %s%s%s", quote, text, quote);
}

static int on_event(void *context, void *data, size_t size)
{
	const struct event *event = data;
	const char *next = event->arguments, *end;
	char comm[COMM_LENGTH + 1];

	(void)context;
	if (size < sizeof(*event) || event->arguments_length > sizeof(event->arguments))
		return 0;
	printable(comm, sizeof(comm), event->comm, sizeof(event->comm));
	if (env.name && !strstr(comm, env.name))
		return 0;
	printf("%7u %7u %6u %-15s", event->pid, event->ppid, event->uid, comm);
	end = next + event->arguments_length;
	while (next < end) {
		size_t length = strnlen(next, end - next);

		print_argument(next, length);
		next += length + 1;
	}
	if (event->all_arguments_length > event->arguments_length)
		printf(" ... (%llu bytes)", (unsigned long long)event->all_arguments_length);
	putchar('\n');
	return 0;
}

int main(int argc, char **argv)
{
	const struct argp argp = { .options = options, .parser = parse_option, .doc = doc };
	struct ring_buffer *ring = NULL;
	struct execve_bpf *skel;
	int err;

	err = argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (err)
		return err;
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);

	skel = execve_bpf__open();
	if (!skel) {
		fprintf(stderr, "execve: cannot open the BPF object: %s\n", strerror(errno));
		return 1;
	}
	skel->rodata->target_uid = env.uid;
	err = execve_bpf__load(skel);
	if (err) {
		fprintf(stderr, "execve: cannot load the BPF object: %s\n", strerror(-err));
		goto cleanup;
	}
	ring = ring_buffer__new(bpf_map__fd(skel->maps.events), on_event, NULL, NULL);
	if (!ring) {
		err = -errno;
		fprintf(stderr, "execve: cannot open the ring buffer: %s\n", strerror(errno));
		goto cleanup;
	}
	err = execve_bpf__attach(skel);
	if (err) {
		fprintf(stderr, "execve: cannot attach the BPF program: %s\n", strerror(-err));
		goto cleanup;
	}
	printf("%7s %7s %6s %-15s %s\n", "PID", "PPID", "UID", "COMM", "ARGUMENTS");
	fflush(stdout);
	while (!exiting) {
		err = ring_buffer__poll(ring, -1);
		fflush(stdout);
		if (err < 0 && err != -EINTR) {
			fprintf(stderr, "execve: reading the ring buffer: %s\n", strerror(-err));
			break;
		}
		err = 0;
	}

cleanup:
	ring_buffer__free(ring);
	execve_bpf__destroy(skel);
	return err < 0 ? 1 : 0;
}
