// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Denies connections to one IPv4 address, and prints those to all.
#include <argp.h>
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <bpf/libbpf.h>
#include <linux/types.h>

#include "lsm.h"
#include "lsm.skel.h"
#include "printable.h"

static const char *address;
static struct in_addr denied;

const char *argp_program_version = "lsm 0.1";
static const char doc[] =
	"Denies connections to one IPv4 address, for the whole machine, and prints the connections to all addresses.\n"
	"\n"
	"EXAMPLES:\n"
	"    lsm 192.0.2.1\n";
static const char arguments[] = "ADDRESS";

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_ARG:
		if (address)
			argp_usage(state);
		address = argument;
		if (inet_pton(AF_INET, argument, &denied) != 1)
			argp_error(state, "not an IPv4 address: %s", argument);
		break;
	case ARGP_KEY_END:
		if (!address)
			argp_error(state, "which address?");
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
	char comm[COMM_LENGTH + 1], host[INET_ADDRSTRLEN] = "?";

	(void)context;
	if (size < sizeof(*event))
		return 0;
	inet_ntop(AF_INET, &event->address, host, sizeof(host));
	printf("%-7s %7u %6u %-15s %s:%u\n", event->is_denied ? "denied" : "allowed", event->pid, event->uid,
	       printable(comm, sizeof(comm), event->comm, sizeof(event->comm)), host, event->port);
	return 0;
}

int main(int argc, char **argv)
{
	const struct argp argp = { .parser = parse_option, .args_doc = arguments, .doc = doc };
	struct ring_buffer *ring = NULL;
	struct lsm_bpf *skel;
	int err;

	err = argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (err)
		return err;
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);

	skel = lsm_bpf__open();
	if (!skel) {
		fprintf(stderr, "lsm: cannot open the BPF object: %s\n", strerror(errno));
		return 1;
	}
	skel->rodata->denied_address = denied.s_addr;
	err = lsm_bpf__load(skel);
	if (err) {
		fprintf(stderr, "lsm: cannot load the BPF object: %s\n", strerror(-err));
		goto cleanup;
	}
	ring = ring_buffer__new(bpf_map__fd(skel->maps.events), on_event, NULL, NULL);
	if (!ring) {
		err = -errno;
		fprintf(stderr, "lsm: cannot open the ring buffer: %s\n", strerror(errno));
		goto cleanup;
	}
	err = lsm_bpf__attach(skel);
	if (err) {
		fprintf(stderr, "lsm: cannot attach the BPF program: %s\n", strerror(-err));
		goto cleanup;
	}
	printf("%-7s %7s %6s %-15s %s\n", "WHAT", "PID", "UID", "COMM", "ADDRESS");
	fflush(stdout);
	while (!exiting) {
		err = ring_buffer__poll(ring, -1);
		fflush(stdout);
		if (err < 0 && err != -EINTR) {
			fprintf(stderr, "lsm: reading the ring buffer: %s\n", strerror(-err));
			break;
		}
		err = 0;
	}

cleanup:
	ring_buffer__free(ring);
	lsm_bpf__destroy(skel);
	return err < 0 ? 1 : 0;
}
