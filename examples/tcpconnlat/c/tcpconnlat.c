// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Prints how long TCP connections took to be made.
#include <argp.h>
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>
#include <linux/types.h>

#include "printable.h"
#include "tcpconnlat.h"
#include "tcpconnlat.skel.h"

#define PAGES 16

static struct {
	unsigned long pid;
	double least_ms;
} env;

const char *argp_program_version = "tcpconnlat 0.1";
static const char doc[] =
	"Prints how long TCP connections took to be made, from the call to the answer.\n"
	"\n"
	"EXAMPLES:\n"
	"    tcpconnlat            # all\n"
	"    tcpconnlat 1.5        # only those that took 1.5 ms or longer\n"
	"    tcpconnlat -p 1234    # only those of a process\n";
static const char arguments[] = "[MS]";

static const struct argp_option options[] = {
	{ "pid", 'p', "PID", 0, "Only of this process", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	char *end;

	errno = 0;
	switch (key) {
	case 'p':
		env.pid = strtoul(argument, &end, 10);
		if (errno || end == argument || *end || !env.pid || env.pid > 0x7fffffff)
			argp_error(state, "not a process ID: %s", argument);
		break;
	case ARGP_KEY_ARG:
		if (state->arg_num)
			argp_usage(state);
		env.least_ms = strtod(argument, &end);
		if (errno || end == argument || *end || !(env.least_ms >= 0 && env.least_ms < 1e9))
			argp_error(state, "not a number of milliseconds: %s", argument);
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
	char comm[COMM_LENGTH + 1], source[INET6_ADDRSTRLEN] = "?", destination[INET6_ADDRSTRLEN] = "?";
	int family;

	(void)context;
	(void)cpu;
	if (size < sizeof(*event))
		return;
	family = event->is_ipv6 ? AF_INET6 : AF_INET;
	inet_ntop(family, event->source, source, sizeof(source));
	inet_ntop(family, event->destination, destination, sizeof(destination));
	printf("%7u %-15s %-2d %-16s %-6u %-16s %-6u %.3f\n", event->pid,
	       printable(comm, sizeof(comm), event->comm, sizeof(event->comm)), event->is_ipv6 ? 6 : 4, source,
	       event->source_port, destination, event->destination_port, event->latency_ns / 1e6);
}

static void on_lost(void *context, int cpu, __u64 count)
{
	(void)context;
	fprintf(stderr, "tcpconnlat: %llu events lost on CPU %d\n", (unsigned long long)count, cpu);
}

int main(int argc, char **argv)
{
	const struct argp argp = { .options = options, .parser = parse_option, .args_doc = arguments, .doc = doc };
	struct perf_buffer *buffer = NULL;
	struct tcpconnlat_bpf *skel;
	int err;

	err = argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (err)
		return err;
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);

	skel = tcpconnlat_bpf__open();
	if (!skel) {
		fprintf(stderr, "tcpconnlat: cannot open the BPF object: %s\n", strerror(errno));
		return 1;
	}
	skel->rodata->target_pid = env.pid;
	skel->rodata->least_ns = env.least_ms * 1e6;
	err = tcpconnlat_bpf__load(skel);
	if (err) {
		fprintf(stderr, "tcpconnlat: cannot load the BPF object: %s\n", strerror(-err));
		goto cleanup;
	}
	buffer = perf_buffer__new(bpf_map__fd(skel->maps.events), PAGES, on_event, on_lost, NULL, NULL);
	if (!buffer) {
		err = -errno;
		fprintf(stderr, "tcpconnlat: cannot open the perf buffer: %s\n", strerror(errno));
		goto cleanup;
	}
	err = tcpconnlat_bpf__attach(skel);
	if (err) {
		fprintf(stderr, "tcpconnlat: cannot attach the BPF programs: %s\n", strerror(-err));
		goto cleanup;
	}
	printf("%7s %-15s %-2s %-16s %-6s %-16s %-6s %s\n", "PID", "COMM", "IP", "SOURCE", "PORT", "DESTINATION", "PORT",
	       "LATENCY(ms)");
	fflush(stdout);
	while (!exiting) {
		err = perf_buffer__poll(buffer, -1);
		fflush(stdout);
		if (err < 0 && err != -EINTR) {
			fprintf(stderr, "tcpconnlat: reading the perf buffer: %s\n", strerror(-err));
			break;
		}
		err = 0;
	}

cleanup:
	perf_buffer__free(buffer);
	tcpconnlat_bpf__destroy(skel);
	return err < 0 ? 1 : 0;
}
