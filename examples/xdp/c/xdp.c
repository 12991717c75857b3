// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Drops the packets that come in on a network interface from some addresses, and counts all.
#include <argp.h>
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <linux/types.h>

#include "xdp.h"
#include "xdp.skel.h"

#define MAX_NETWORKS 64

static struct {
	const char *interface;
	const char *networks[MAX_NETWORKS];
	int networks_count;
	bool generic;
} env;

const char *argp_program_version = "xdp 0.1";
static const char doc[] =
	"Drops the IPv4 packets that come in on a network interface from some networks, and counts all packets, "
	"each second.\n"
	"\n"
	"EXAMPLES:\n"
	"    xdp eth0                              # only counts\n"
	"    xdp -b 192.0.2.0/24 -b 10.0.0.7 eth0  # drops what comes from these\n";
static const char arguments[] = "INTERFACE";

static const struct argp_option options[] = {
	{ "block", 'b', "ADDRESS[/BITS]", 0, "Drop what comes from this network", 0 },
	{ "generic", 'g', NULL, 0, "Use generic XDP, which every interface has", 0 },
	{ 0 },
};

// The key of a network: false if the text is none.
static bool parse_network(const char *text, struct network *network)
{
	char address[INET_ADDRSTRLEN], *end;
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	unsigned long bits = 32;

	if (length >= sizeof(address))
		return false;
	memcpy(address, text, length);
	address[length] = 0;
	if (slash) {
		bits = strtoul(slash + 1, &end, 10);
		if (end == slash + 1 || *end || bits > 32)
			return false;
	}
	network->bits = bits;
	return inet_pton(AF_INET, address, &network->address) == 1;
}

static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct network network;

	switch (key) {
	case 'b':
		if (!parse_network(argument, &network))
			argp_error(state, "not an IPv4 network: %s", argument);
		if (env.networks_count == MAX_NETWORKS)
			argp_error(state, "more than %d networks", MAX_NETWORKS);
		env.networks[env.networks_count++] = argument;
		break;
	case 'g':
		env.generic = true;
		break;
	case ARGP_KEY_ARG:
		if (env.interface)
			argp_usage(state);
		env.interface = argument;
		break;
	case ARGP_KEY_END:
		if (!env.interface)
			argp_error(state, "which network interface?");
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

// Sums what the CPUs counted.
static int read_count(struct xdp_bpf *skel, __u32 verdict, struct count *sum)
{
	int cpus = libbpf_num_possible_cpus(), err;
	struct count *counts;

	if (cpus < 0)
		return cpus;
	counts = calloc(cpus, sizeof(*counts));
	if (!counts)
		return -ENOMEM;
	memset(sum, 0, sizeof(*sum));
	err = bpf_map__lookup_elem(skel->maps.counts, &verdict, sizeof(verdict), counts, cpus * sizeof(*counts), 0);
	for (int cpu = 0; !err && cpu < cpus; cpu++) {
		sum->packets += counts[cpu].packets;
		sum->bytes += counts[cpu].bytes;
	}
	free(counts);
	return err;
}

static int block(struct xdp_bpf *skel)
{
	int fd = bpf_map__fd(skel->maps.blocked);
	__u64 packets = 0;

	for (int i = 0; i < env.networks_count; i++) {
		struct network network;
		int err;

		if (!parse_network(env.networks[i], &network))
			return -EINVAL;
		err = bpf_map_update_elem(fd, &network, &packets, BPF_ANY);
		if (err)
			return err;
	}
	return 0;
}

static void print_blocked(struct xdp_bpf *skel)
{
	int fd = bpf_map__fd(skel->maps.blocked);

	for (int i = 0; i < env.networks_count; i++) {
		struct network network;
		__u64 packets;

		if (parse_network(env.networks[i], &network) && !bpf_map_lookup_elem(fd, &network, &packets))
			printf("%s: %llu packets dropped\n", env.networks[i], (unsigned long long)packets);
	}
}

int main(int argc, char **argv)
{
	const struct argp argp = { .options = options, .parser = parse_option, .args_doc = arguments, .doc = doc };
	int err, index, program, flags = XDP_FLAGS_UPDATE_IF_NOEXIST;
	struct count passed, dropped;
	bool attached = false;
	struct xdp_bpf *skel;

	err = argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (err)
		return err;
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);

	index = if_nametoindex(env.interface);
	if (!index) {
		fprintf(stderr, "xdp: there is no network interface %s\n", env.interface);
		return 1;
	}
	skel = xdp_bpf__open_and_load();
	if (!skel) {
		fprintf(stderr, "xdp: cannot load the BPF object: %s\n", strerror(errno));
		return 1;
	}
	err = block(skel);
	if (err) {
		fprintf(stderr, "xdp: cannot fill the list of networks: %s\n", strerror(-err));
		goto cleanup;
	}
	program = bpf_program__fd(skel->progs.on_packet);
	if (env.generic)
		flags |= XDP_FLAGS_SKB_MODE;
	err = bpf_xdp_attach(index, program, flags, NULL);
	if (err) {
		fprintf(stderr, "xdp: cannot attach to %s: %s\n", env.interface, strerror(-err));
		goto cleanup;
	}
	attached = true;
	printf("%12s %15s %12s %15s\n", "PASSED", "BYTES", "DROPPED", "BYTES");
	fflush(stdout);
	do {
		sleep(1);
		err = read_count(skel, VERDICT_PASSED, &passed);
		if (!err)
			err = read_count(skel, VERDICT_DROPPED, &dropped);
		if (err) {
			fprintf(stderr, "xdp: reading the counts: %s\n", strerror(-err));
			break;
		}
		printf("%12llu %15llu %12llu %15llu\n", (unsigned long long)passed.packets,
		       (unsigned long long)passed.bytes, (unsigned long long)dropped.packets,
		       (unsigned long long)dropped.bytes);
		fflush(stdout);
	} while (!exiting);
	print_blocked(skel);

cleanup:
	if (attached)
		bpf_xdp_detach(index, env.generic ? XDP_FLAGS_SKB_MODE : 0, NULL);
	xdp_bpf__destroy(skel);
	return err < 0 ? 1 : 0;
}
