// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Prints the IP packets of a network interface.
#include <argp.h>
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/types.h>

#include "sockfilter.h"
#include "sockfilter.skel.h"

static const char *interface = "lo";

const char *argp_program_version = "sockfilter 0.1";
static const char doc[] =
	"Prints the IP packets of a network interface, by a BPF program on a packet socket.\n"
	"\n"
	"EXAMPLES:\n"
	"    sockfilter            # those of the loopback interface\n"
	"    sockfilter -i eth0\n";

static const struct argp_option options[] = {
	{ "interface", 'i', "NAME", 0, "The network interface (default: lo)", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	switch (key) {
	case 'i':
		interface = argument;
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

static const char *name_of_protocol(unsigned int protocol)
{
	static char number[8];

	switch (protocol) {
	case IPPROTO_ICMP:
		return "ICMP";
	case IPPROTO_TCP:
		return "TCP";
	case IPPROTO_UDP:
		return "UDP";
	case IPPROTO_ICMPV6:
		return "ICMP6";
	}
	snprintf(number, sizeof(number), "%u", protocol);
	return number;
}

static void format_address(char *text, size_t room, const struct event *event, const __u8 *address, __u16 port)
{
	char host[INET6_ADDRSTRLEN] = "?";

	inet_ntop(event->is_ipv6 ? AF_INET6 : AF_INET, address, host, sizeof(host));
	if (!port)
		snprintf(text, room, "%s", host);
	else
		snprintf(text, room, event->is_ipv6 ? "[%s]:%u" : "%s:%u", host, ntohs(port));
}

static int on_event(void *context, void *data, size_t size)
{
	static const char *const ways[] = { "in", "broadcast", "multicast", "other", "out" };
	const struct event *event = data;
	char source[64], destination[64];

	(void)context;
	if (size < sizeof(*event))
		return 0;
	format_address(source, sizeof(source), event, event->source, event->source_port);
	format_address(destination, sizeof(destination), event, event->destination, event->destination_port);
	printf("%-9s %-6s %-28s %-28s %6u\n",
	       event->packet_type < sizeof(ways) / sizeof(ways[0]) ? ways[event->packet_type] : "?",
	       name_of_protocol(event->protocol), source, destination, event->length);
	return 0;
}

// A packet socket that sees what passes one interface.
static int open_packet_socket(const char *name)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd, err;

	address.sll_ifindex = if_nametoindex(name);
	if (!address.sll_ifindex)
		return -errno;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL));
	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int main(int argc, char **argv)
{
	const struct argp argp = { .options = options, .parser = parse_option, .doc = doc };
	struct ring_buffer *ring = NULL;
	struct sockfilter_bpf *skel;
	int err, fd = -1, program;

	err = argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (err)
		return err;
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);

	skel = sockfilter_bpf__open_and_load();
	if (!skel) {
		fprintf(stderr, "sockfilter: cannot load the BPF object: %s\n", strerror(errno));
		return 1;
	}
	ring = ring_buffer__new(bpf_map__fd(skel->maps.events), on_event, NULL, NULL);
	if (!ring) {
		err = -errno;
		fprintf(stderr, "sockfilter: cannot open the ring buffer: %s\n", strerror(errno));
		goto cleanup;
	}
	fd = open_packet_socket(interface);
	if (fd < 0) {
		err = fd;
		fprintf(stderr, "sockfilter: cannot open a packet socket on %s: %s\n", interface, strerror(-err));
		goto cleanup;
	}
	program = bpf_program__fd(skel->progs.on_packet);
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program))) {
		err = -errno;
		fprintf(stderr, "sockfilter: cannot attach the BPF program: %s\n", strerror(errno));
		goto cleanup;
	}
	printf("%-9s %-6s %-28s %-28s %6s\n", "WAY", "PROTO", "FROM", "TO", "BYTES");
	fflush(stdout);
	while (!exiting) {
		err = ring_buffer__poll(ring, -1);
		fflush(stdout);
		if (err < 0 && err != -EINTR) {
			fprintf(stderr, "sockfilter: reading the ring buffer: %s\n", strerror(-err));
			break;
		}
		err = 0;
	}

cleanup:
	if (fd >= 0)
		close(fd);
	ring_buffer__free(ring);
	sockfilter_bpf__destroy(skel);
	return err < 0 ? 1 : 0;
}
