// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Prints what passes a USDT probe, and in the end how often each number did.
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/types.h>

#include "usdt.h"
#include "usdt.skel.h"

static const char *binary;
static int exit_code;

static const struct argp_option options[] = {
	{ "exit-code", 'e', "CODE", 0, "How to end when it is stopped", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	switch (key) {
	case 'e':
		exit_code = atoi(argument);
		break;
	case ARGP_KEY_ARG:
		if (binary)
			argp_usage(state);
		binary = argument;
		break;
	case ARGP_KEY_END:
		if (!binary)
			argp_usage(state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static volatile sig_atomic_t stopped_by;

static void on_signal(int signal)
{
	stopped_by = signal;
}

static void on_event(void *context, int cpu, void *data, __u32 size)
{
	unsigned long *events = context;
	struct event event;

	(void)cpu;
	if (size < sizeof(event))
		return;
	memcpy(&event, data, sizeof(event));
	++*events;
	printf("%llu %.*s cookie=%llx\n", (unsigned long long)event.number, TEXT_LENGTH, event.text,
	       (unsigned long long)event.cookie);
}

static void on_lost(void *context, int cpu, __u64 count)
{
	(void)context;
	printf("lost %llu on %d\n", (unsigned long long)count, cpu);
}

static int compare(const void *a, const void *b)
{
	__u64 first = *(const __u64 *)a, second = *(const __u64 *)b;

	return (first > second) - (first < second);
}

static void print_counts(struct bpf_map *map)
{
	__u64 keys[64], key, *previous = NULL;
	struct count count;
	size_t n = 0;

	while (n < 64 && !bpf_map__get_next_key(map, previous, &keys[n], sizeof(key))) {
		key = keys[n++];
		previous = &key;
	}
	qsort(keys, n, sizeof(keys[0]), compare);
	for (size_t i = 0; i < n; i++) {
		if (!bpf_map__lookup_elem(map, &keys[i], sizeof(keys[i]), &count, sizeof(count), 0))
			printf("number %llu: %llu times, the last with %lld\n", (unsigned long long)keys[i],
			       (unsigned long long)count.times, (long long)count.last);
	}
}

int main(int argc, char **argv)
{
	const struct argp argp = { .options = options, .parser = parse_option, .args_doc = "BINARY",
				   .doc = "Prints what passes the USDT probe wasm_bpf:step of a program." };
	struct sigaction action = { .sa_handler = on_signal };
	struct perf_buffer *buffer = NULL;
	struct usdt_bpf *skel;
	unsigned long events = 0;
	int err;

	err = argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (err)
		return err;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	skel = usdt_bpf__open_and_load();
	if (!skel) {
		fprintf(stderr, "usdt: cannot load: %s\n", strerror(errno));
		return 1;
	}
	buffer = perf_buffer__new(bpf_map__fd(skel->maps.events), 8, on_event, on_lost, &events, NULL);
	err = libbpf_get_error(buffer);
	if (err) {
		fprintf(stderr, "usdt: cannot open the perf buffer: %s\n", strerror(-err));
		buffer = NULL;
		goto cleanup;
	}
	LIBBPF_OPTS(bpf_usdt_opts, opts, .usdt_cookie = 0xfeed);
	skel->links.on_probe = bpf_program__attach_usdt(skel->progs.on_probe, -1, binary, "wasm_bpf", "step", &opts);
	if (!skel->links.on_probe) {
		err = -errno;
		fprintf(stderr, "usdt: cannot attach to %s: %s\n", binary, strerror(errno));
		goto cleanup;
	}
	fprintf(stderr, "usdt: ready\n");
	while (!stopped_by) {
		err = perf_buffer__poll(buffer, 1000);
		fflush(stdout);
		if (err < 0 && err != -EINTR)
			break;
		err = 0;
	}
	// What came after the last poll.
	perf_buffer__consume(buffer);
	print_counts(skel->maps.counts);
	printf("stopped by signal %d after %lu events; the program saw %llu\n", (int)stopped_by, events,
	       (unsigned long long)skel->bss->seen);

cleanup:
	perf_buffer__free(buffer);
	usdt_bpf__destroy(skel);
	return err ? 1 : exit_code;
}
