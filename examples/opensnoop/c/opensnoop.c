// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Prints the files that processes open.
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/libbpf.h>
#include <linux/types.h>

#include "opensnoop.h"
#include "opensnoop.skel.h"
#include "printable.h"

#define PAGES 64

static struct {
	__u32 pid, tid, uid;
	bool only_failed, timestamp, print_uid, print_flags;
	const char *name;
	unsigned long duration;
} env = { .uid = -1 };

const char *argp_program_version = "opensnoop 0.1";
static const char doc[] =
	"Prints the files that processes open: the system calls open, openat and openat2.\n"
	"\n"
	"EXAMPLES:\n"
	"    opensnoop               # all\n"
	"    opensnoop -T -p 1234    # those of a process, with the time\n"
	"    opensnoop -x -n nginx   # those of nginx that failed\n";

static const struct argp_option options[] = {
	{ "pid", 'p', "PID", 0, "Only of this process", 0 },
	{ "tid", 't', "TID", 0, "Only of this thread", 0 },
	{ "uid", 'u', "UID", 0, "Only of this user", 0 },
	{ "name", 'n', "NAME", 0, "Only of threads whose name contains NAME", 0 },
	{ "failed", 'x', NULL, 0, "Only those that failed", 0 },
	{ "timestamp", 'T', NULL, 0, "The time of each call", 0 },
	{ "print-uid", 'U', NULL, 0, "The user ID", 0 },
	{ "extended-fields", 'e', NULL, 0, "The flags, in octal", 0 },
	{ "duration", 'd', "SECONDS", 0, "End after this time", 0 },
	{ 0 },
};

static unsigned long number(struct argp_state *state, const char *argument, unsigned long least, const char *what)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(argument, &end, 10);
	if (errno || end == argument || *end || value < least || value >= (__u32)-1)
		argp_error(state, "not a %s: %s", what, argument);
	return value;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	switch (key) {
	case 'p':
		env.pid = number(state, argument, 1, "process ID");
		break;
	case 't':
		env.tid = number(state, argument, 1, "thread ID");
		break;
	case 'u':
		env.uid = number(state, argument, 0, "user ID");
		break;
	case 'd':
		env.duration = number(state, argument, 1, "number of seconds");
		break;
	case 'n':
		env.name = argument;
		break;
	case 'x':
		env.only_failed = true;
		break;
	case 'T':
		env.timestamp = true;
		break;
	case 'U':
		env.print_uid = true;
		break;
	case 'e':
		env.print_flags = true;
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

static void on_event(void *context, int cpu, void *data, __u32 size)
{
	const struct event *event = data;
	char comm[COMM_LENGTH + 1], path[PATH_LENGTH + 1];
	size_t length;

	(void)context;
	(void)cpu;
	if (size < sizeof(*event))
		return;
	// The path is behind the event, and padding behind the path.
	length = size - sizeof(*event);
	if (length > event->path_length)
		length = event->path_length;
	printable(comm, sizeof(comm), event->comm, sizeof(event->comm));
	if (env.name && !strstr(comm, env.name))
		return;
	if (env.timestamp) {
		time_t now = time(NULL);
		char when[16];

		strftime(when, sizeof(when), "%H:%M:%S", localtime(&now));
		printf("%-8s ", when);
	}
	if (env.print_uid)
		printf("%6u ", event->uid);
	printf("%7u %-15s %4d %3d ", event->pid, comm, event->result < 0 ? -1 : event->result,
	       event->result < 0 ? -event->result : 0);
	if (env.print_flags)
		printf("%08llo ", (unsigned long long)event->flags);
	// Without a path its memory could not be read, by the kernel neither; a path that fills its room may go on.
	printf("%s%s\n", length ? printable(path, sizeof(path), (const char *)(event + 1), length) : "[?]",
	       length == PATH_LENGTH ? "..." : "");
}

static void on_lost(void *context, int cpu, __u64 count)
{
	(void)context;
	fprintf(stderr, "opensnoop: %llu events lost on CPU %d\n", (unsigned long long)count, cpu);
}

int main(int argc, char **argv)
{
	const struct argp argp = { .options = options, .parser = parse_option, .doc = doc };
	struct perf_buffer *buffer = NULL;
	struct opensnoop_bpf *skel;
	time_t end = 0;
	int err;

	err = argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (err)
		return err;
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);

	skel = opensnoop_bpf__open();
	if (!skel) {
		fprintf(stderr, "opensnoop: cannot open the BPF object: %s\n", strerror(errno));
		return 1;
	}
	skel->rodata->target_pid = env.pid;
	skel->rodata->target_tid = env.tid;
	skel->rodata->target_uid = env.uid;
	skel->rodata->only_failed = env.only_failed;
	err = opensnoop_bpf__load(skel);
	if (err) {
		fprintf(stderr, "opensnoop: cannot load the BPF object: %s\n", strerror(-err));
		goto cleanup;
	}
	buffer = perf_buffer__new(bpf_map__fd(skel->maps.events), PAGES, on_event, on_lost, NULL, NULL);
	if (!buffer) {
		err = -errno;
		fprintf(stderr, "opensnoop: cannot open the perf buffer: %s\n", strerror(errno));
		goto cleanup;
	}
	err = opensnoop_bpf__attach(skel);
	if (err) {
		fprintf(stderr, "opensnoop: cannot attach the BPF programs: %s\n", strerror(-err));
		goto cleanup;
	}

	if (env.timestamp)
		printf("%-8s ", "TIME");
	if (env.print_uid)
		printf("%6s ", "UID");
	printf("%7s %-15s %4s %3s ", "PID", "COMM", "FD", "ERR");
	if (env.print_flags)
		printf("%8s ", "FLAGS");
	puts("PATH");
	fflush(stdout);
	// The calls of the lines above were seen.
	if (skel->bss->is_unknown_architecture) {
		fprintf(stderr, "opensnoop: this kernel's architecture is none of x86-64, arm64, riscv64\n");
		err = -ENOTSUP;
		goto cleanup;
	}
	if (env.duration)
		end = time(NULL) + env.duration;
	while (!exiting && (!end || time(NULL) < end)) {
		err = perf_buffer__poll(buffer, 100 /* ms */);
		fflush(stdout);
		if (err < 0 && err != -EINTR) {
			fprintf(stderr, "opensnoop: reading the perf buffer: %s\n", strerror(-err));
			goto cleanup;
		}
	}
	err = 0;
	if (skel->bss->calls_without_room)
		fprintf(stderr, "opensnoop: %llu calls not reported: more were under way at once than it keeps\n",
			(unsigned long long)skel->bss->calls_without_room);

cleanup:
	perf_buffer__free(buffer);
	opensnoop_bpf__destroy(skel);
	return err < 0 ? 1 : 0;
}
