// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Prints the processes that start and end.
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/types.h>

#include "bootstrap.h"
#include "bootstrap.skel.h"
#include "printable.h"

static struct {
	bool verbose;
	unsigned long min_duration_ms;
} env;

const char *argp_program_version = "bootstrap 0.1";
static const char doc[] =
	"Prints the processes that start and end.\n"
	"\n"
	"EXAMPLES:\n"
	"    bootstrap          # all\n"
	"    bootstrap -d 100   # only those that ran for 100 ms or longer, when they end\n";

static const struct argp_option options[] = {
	{ "duration", 'd', "MS", 0, "Only processes that ran at least this long, when they end", 0 },
	{ "verbose", 'v', NULL, 0, "What libbpf does", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	char *end;

	switch (key) {
	case 'd':
		errno = 0;
		env.min_duration_ms = strtoul(argument, &end, 10);
		if (errno || end == argument || *end || env.min_duration_ms > 1000ul * 1000 * 1000)
			argp_error(state, "not a duration in milliseconds: %s", argument);
		break;
	case 'v':
		env.verbose = true;
		break;
	case ARGP_KEY_ARG:
		argp_usage(state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static int print_message(enum libbpf_print_level level, const char *format, va_list args)
{
	if (level == LIBBPF_DEBUG && !env.verbose)
		return 0;
	return vfprintf(stderr, format, args);
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
	char comm[COMM_LENGTH + 1], filename[FILENAME_LENGTH + 1], when[16];
	time_t now = time(NULL);

	(void)context;
	if (size < sizeof(*event))
		return 0;
	strftime(when, sizeof(when), "%H:%M:%S", localtime(&now));
	printable(comm, sizeof(comm), event->comm, sizeof(event->comm));
	printf("%-8s %-5s %-15s %7u %7u ", when, event->kind == EVENT_EXEC ? "EXEC" : "EXIT", comm, event->pid,
	       event->ppid);
	if (event->kind == EVENT_EXEC) {
		puts(printable(filename, sizeof(filename), event->filename, sizeof(event->filename)));
		return 0;
	}
	if (event->exit_code & 0x7f)
		printf("[SIG %u]", event->exit_code & 0x7f);
	else
		printf("[%u]", event->exit_code >> 8 & 0xff);
	if (event->has_duration)
		printf(" (%.1fms)", event->duration_ns / 1e6);
	putchar('\n');
	return 0;
}

// What did not fit into the ring buffer, counted on each CPU.
static unsigned long long lost_events(struct bootstrap_bpf *skel)
{
	int cpus = libbpf_num_possible_cpus();
	unsigned long long sum = 0;
	__u32 key = 0;
	__u64 *counts;

	if (cpus < 0)
		return 0;
	counts = calloc(cpus, sizeof(*counts));
	if (counts && !bpf_map__lookup_elem(skel->maps.lost, &key, sizeof(key), counts, cpus * sizeof(*counts), 0)) {
		for (int cpu = 0; cpu < cpus; cpu++)
			sum += counts[cpu];
	}
	free(counts);
	return sum;
}

int main(int argc, char **argv)
{
	const struct argp argp = { .options = options, .parser = parse_option, .doc = doc };
	struct ring_buffer *ring = NULL;
	struct bootstrap_bpf *skel;
	unsigned long long lost;
	int err;

	err = argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (err)
		return err;
	libbpf_set_print(print_message);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);

	skel = bootstrap_bpf__open();
	if (!skel) {
		fprintf(stderr, "bootstrap: cannot open the BPF object: %s\n", strerror(errno));
		return 1;
	}
	skel->rodata->min_duration_ns = env.min_duration_ms * 1000000ull;
	err = bootstrap_bpf__load(skel);
	if (err) {
		fprintf(stderr, "bootstrap: cannot load the BPF object: %s\n", strerror(-err));
		goto cleanup;
	}
	ring = ring_buffer__new(bpf_map__fd(skel->maps.events), on_event, NULL, NULL);
	if (!ring) {
		err = -errno;
		fprintf(stderr, "bootstrap: cannot open the ring buffer: %s\n", strerror(errno));
		goto cleanup;
	}
	err = bootstrap_bpf__attach(skel);
	if (err) {
		fprintf(stderr, "bootstrap: cannot attach the BPF programs: %s\n", strerror(-err));
		goto cleanup;
	}

	printf("%-8s %-5s %-15s %7s %7s %s\n", "TIME", "EVENT", "COMM", "PID", "PPID", "FILENAME/EXIT CODE");
	fflush(stdout);
	while (!exiting) {
		err = ring_buffer__poll(ring, 100 /* ms */);
		fflush(stdout);
		if (err == -EINTR) {
			err = 0;
			break;
		}
		if (err < 0) {
			fprintf(stderr, "bootstrap: reading the ring buffer: %s\n", strerror(-err));
			break;
		}
		err = 0;
	}
	lost = lost_events(skel);
	if (lost)
		fprintf(stderr, "bootstrap: %llu events lost: they came faster than they could be printed\n", lost);

cleanup:
	ring_buffer__free(ring);
	bootstrap_bpf__destroy(skel);
	return err < 0 ? 1 : 0;
}
