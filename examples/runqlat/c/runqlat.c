// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Shows how long tasks wait for a CPU.
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/types.h>

#include "printable.h"
#include "runqlat.h"
#include "runqlat.skel.h"

static struct {
	unsigned long interval, count;
	bool milliseconds, timestamp, processes, threads;
	__u32 pid;
} env = { .interval = 99999999, .count = 99999999 };

const char *argp_program_version = "runqlat 0.1";
static const char doc[] =
	"Shows how long tasks wait for a CPU, as a histogram.\n"
	"\n"
	"EXAMPLES:\n"
	"    runqlat             # one histogram, when Ctrl-C ends it\n"
	"    runqlat -T 1 10     # ten, one each second, with the time\n"
	"    runqlat -L -p 1234  # of the threads of a process\n";
static const char arguments[] = "[INTERVAL [COUNT]]";

static const struct argp_option options[] = {
	{ "milliseconds", 'm', NULL, 0, "Count in milliseconds instead of microseconds", 0 },
	{ "timestamp", 'T', NULL, 0, "Print the time before each output", 0 },
	{ "processes", 'P', NULL, 0, "A histogram for each process", 0 },
	{ "threads", 'L', NULL, 0, "A histogram for each thread", 0 },
	{ "pid", 'p', "PID", 0, "Only this process", 0 },
	{ 0 },
};

static unsigned long number(struct argp_state *state, const char *argument, const char *what)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(argument, &end, 10);
	if (errno || end == argument || *end || !value || value > 99999999)
		argp_error(state, "not a %s: %s", what, argument);
	return value;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	switch (key) {
	case 'm':
		env.milliseconds = true;
		break;
	case 'T':
		env.timestamp = true;
		break;
	case 'P':
		env.processes = true;
		break;
	case 'L':
		env.threads = true;
		break;
	case 'p':
		env.pid = number(state, argument, "process ID");
		break;
	case ARGP_KEY_ARG:
		if (state->arg_num == 0)
			env.interval = number(state, argument, "number of seconds");
		else if (state->arg_num == 1)
			env.count = number(state, argument, "count");
		else
			argp_usage(state);
		break;
	case ARGP_KEY_END:
		if (env.processes && env.threads)
			argp_error(state, "-P and -L exclude each other");
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

static void print_stars(__u64 value, __u64 most)
{
	int stars = most ? (value * 40 + most - 1) / most : 0;

	for (int i = 0; i < 40; i++)
		putchar(i < stars ? '*' : ' ');
}

static void print_slots(const __u64 *slots)
{
	int last = -1;
	__u64 most = 0;

	for (int slot = 0; slot < SLOTS; slot++) {
		if (slots[slot])
			last = slot;
		if (slots[slot] > most)
			most = slots[slot];
	}
	printf("     %-19s : count     distribution\n", env.milliseconds ? "msecs" : "usecs");
	for (int slot = 0; slot <= last; slot++) {
		unsigned long long low = slot ? 1ull << slot : 0, high = (2ull << slot) - 1;

		printf("%10llu -> %-10llu : %-8llu |", low, high, (unsigned long long)slots[slot]);
		print_stars(slots[slot], most);
		puts("|");
	}
	putchar('\n');
}

// Prints all histograms and begins new ones.
static int print_histograms(struct bpf_map *map)
{
	__u32 key, next, *previous = NULL;
	int fd = bpf_map__fd(map), err;
	struct hist hist;

	while (!bpf_map_get_next_key(fd, previous, &next)) {
		err = bpf_map_lookup_elem(fd, &next, &hist);
		if (err) {
			fprintf(stderr, "runqlat: reading a histogram: %s\n", strerror(-err));
			return err;
		}
		if (env.processes || env.threads) {
			char comm[COMM_LENGTH + 1];

			printf("%s = %u %s\n", env.processes ? "pid" : "tid", next,
			       printable(comm, sizeof(comm), hist.comm, sizeof(hist.comm)));
		}
		print_slots(hist.slots);
		key = next;
		previous = &key;
	}
	// Each deletion begins at the front: there is no place to keep in a map that is being emptied.
	while (!bpf_map_get_next_key(fd, NULL, &next)) {
		err = bpf_map_delete_elem(fd, &next);
		if (err && err != -ENOENT) {
			fprintf(stderr, "runqlat: removing a histogram: %s\n", strerror(-err));
			return err;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct argp argp = { .options = options, .parser = parse_option, .args_doc = arguments, .doc = doc };
	struct runqlat_bpf *skel;
	int err;

	err = argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (err)
		return err;
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);

	skel = runqlat_bpf__open();
	if (!skel) {
		fprintf(stderr, "runqlat: cannot open the BPF object: %s\n", strerror(errno));
		return 1;
	}
	skel->rodata->target_tgid = env.pid;
	if (env.milliseconds)
		skel->rodata->unit_ns = 1000000;
	if (env.processes)
		skel->rodata->grouping = GROUP_PROCESS;
	else if (env.threads)
		skel->rodata->grouping = GROUP_THREAD;
	else // It keeps the names right, which are not asked for.
		bpf_program__set_autoload(skel->progs.on_exec, false);
	err = runqlat_bpf__load(skel);
	if (err) {
		fprintf(stderr, "runqlat: cannot load the BPF object: %s\n", strerror(-err));
		goto cleanup;
	}
	err = runqlat_bpf__attach(skel);
	if (err) {
		fprintf(stderr, "runqlat: cannot attach the BPF programs: %s\n", strerror(-err));
		goto cleanup;
	}
	fprintf(stderr, "runqlat: measuring; Ctrl-C ends it\n");
	while (!exiting && env.count--) {
		sleep(env.interval);
		if (env.timestamp) {
			time_t now = time(NULL);
			char when[16];

			strftime(when, sizeof(when), "%H:%M:%S", localtime(&now));
			puts(when);
		}
		err = print_histograms(skel->maps.hists);
		fflush(stdout);
		if (err)
			break;
	}
	if (skel->bss->waits_without_room)
		fprintf(stderr, "runqlat: %llu waits not measured: more tasks waited at once than it keeps\n",
			(unsigned long long)skel->bss->waits_without_room);
	if (skel->bss->waits_without_histogram)
		fprintf(stderr, "runqlat: %llu waits not counted: more processes or threads than it keeps\n",
			(unsigned long long)skel->bss->waits_without_histogram);

cleanup:
	runqlat_bpf__destroy(skel);
	return err < 0 ? 1 : 0;
}
