// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Prints the TCP connections of a cgroup: when they begin, and what they were when they end.
#include <argp.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <linux/types.h>

#include "sockops.h"
#include "sockops.skel.h"

static struct {
	const char *cgroup;
	bool only_ends;
} env;

const char *argp_program_version = "sockops 0.1";
static const char doc[] =
	"Prints the TCP connections of a cgroup: when they begin, and what they were when they end.\n"
	"\n"
	"EXAMPLES:\n"
	"    sockops /sys/fs/cgroup/system.slice\n"
	"    sockops -c /sys/fs/cgroup/system.slice   # only the ends\n";
static const char arguments[] = "CGROUP";

static const struct argp_option options[] = {
	{ "close", 'c', NULL, 0, "Only the ends of connections", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	switch (key) {
	case 'c':
		env.only_ends = true;
		break;
	case ARGP_KEY_ARG:
		if (env.cgroup)
			argp_usage(state);
		env.cgroup = argument;
		break;
	case ARGP_KEY_END:
		if (!env.cgroup)
			argp_error(state, "which cgroup?");
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

static void print_address(const struct event *event, const __u8 *address, __u16 port)
{
	char host[INET6_ADDRSTRLEN] = "?", text[64];

	inet_ntop(event->is_ipv6 ? AF_INET6 : AF_INET, address, host, sizeof(host));
	snprintf(text, sizeof(text), event->is_ipv6 ? "[%s]:%u" : "%s:%u", host, port);
	printf(" %-21s", text);
}

static int on_event(void *context, void *data, size_t size)
{
	static const char *const names[] = { "CONNECT", "ACCEPT", "CLOSE" };
	const struct event *event = data;
	time_t now = time(NULL);
	char when[16];

	(void)context;
	if (size < sizeof(*event) || event->kind > EVENT_CLOSE)
		return 0;
	if (env.only_ends && event->kind != EVENT_CLOSE)
		return 0;
	strftime(when, sizeof(when), "%H:%M:%S", localtime(&now));
	printf("%-8s %-7s", when, names[event->kind]);
	print_address(event, event->local, event->local_port);
	print_address(event, event->remote, event->remote_port);
	printf(" %7u", event->round_trip);
	if (event->kind == EVENT_CLOSE) {
		if (event->has_duration)
			printf(" %10.3f", event->duration_ns / 1e6);
		else
			printf(" %10s", "-");
		printf(" %9llu %9llu %7u", (unsigned long long)event->bytes_sent,
		       (unsigned long long)event->bytes_received, event->retransmissions);
	}
	putchar('\n');
	return 0;
}

int main(int argc, char **argv)
{
	const struct argp argp = { .options = options, .parser = parse_option, .args_doc = arguments, .doc = doc };
	struct ring_buffer *ring = NULL;
	struct sockops_bpf *skel;
	int err, cgroup;

	err = argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (err)
		return err;
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);

	cgroup = open(env.cgroup, O_RDONLY | O_DIRECTORY);
	if (cgroup < 0) {
		fprintf(stderr, "sockops: cannot open %s: %s\n", env.cgroup, strerror(errno));
		return 1;
	}
	skel = sockops_bpf__open_and_load();
	if (!skel) {
		fprintf(stderr, "sockops: cannot load the BPF object: %s\n", strerror(errno));
		close(cgroup);
		return 1;
	}
	ring = ring_buffer__new(bpf_map__fd(skel->maps.events), on_event, NULL, NULL);
	if (!ring) {
		err = -errno;
		fprintf(stderr, "sockops: cannot open the ring buffer: %s\n", strerror(errno));
		goto cleanup;
	}
	skel->links.on_event = bpf_program__attach_cgroup(skel->progs.on_event, cgroup);
	if (!skel->links.on_event) {
		err = -errno;
		fprintf(stderr, "sockops: cannot attach to %s: %s\n", env.cgroup, strerror(errno));
		goto cleanup;
	}
	printf("%-8s %-7s %-21s %-21s %7s %10s %9s %9s %7s\n", "TIME", "EVENT", "LOCAL", "REMOTE", "RTT(us)", "MS",
	       "TX", "RX", "RETRANS");
	fflush(stdout);
	while (!exiting) {
		err = ring_buffer__poll(ring, -1);
		fflush(stdout);
		if (err < 0 && err != -EINTR) {
			fprintf(stderr, "sockops: reading the ring buffer: %s\n", strerror(-err));
			break;
		}
		err = 0;
	}

cleanup:
	ring_buffer__free(ring);
	sockops_bpf__destroy(skel);
	close(cgroup);
	return err < 0 ? 1 : 0;
}
