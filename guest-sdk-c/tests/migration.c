// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Programs for the C SDK of the first wasm-bpf: targets by their names, buffers that are opened with a map of a skeleton, records
// of any size.
// needs: netns
#include <arpa/inet.h>
#include <linux/types.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "libbpf-wasm.h"

#include "check.h"
#include "migration.h"
#include "migration.skel.h"

static int records;
static size_t seen_size;
static __u64 seen_length;

static int on_large(void *context, void *data, size_t size)
{
	const struct large *event = data;

	CHECK(context == &records);
	CHECK_IS(size, sizeof(*event));
	CHECK_IS(event->first, 1);
	CHECK_IS(event->last, sizeof(*event));
	seen_size = size;
	records++;
	return 0;
}

static int on_length(void *context, void *data, size_t size)
{
	CHECK(context == &records);
	// Perf buffers pad records.
	CHECK(size >= sizeof(seen_length));
	memcpy(&seen_length, data, sizeof(seen_length));
	records++;
	return 0;
}

static void send_packet(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	CHECK(fd >= 0);
	CHECK_IS(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	CHECK_IS(send(fd, "needle", 6, 0), 6);
	close(fd);
}

static void poll_until_seen(struct bpf_buffer *buffer)
{
	records = 0;
	send_packet();
	for (int i = 0; i < 20 && !records; i++)
		CHECK(bpf_buffer__poll(buffer, 0) >= 0);
	CHECK(records > 0);
}

int main(void)
{
	struct bpf_buffer *large, *lengths;
	struct migration_bpf *skel;
	char name[] = "lo";

	// It takes a char *, not only a const one.
	skel = migration_bpf__open_and_load();
	CHECK(skel);
	bpf_set_prog_attach_target(skel->progs.on_frame, name);
	bpf_set_prog_attach_target(skel->progs.on_packet, "lo");
	CHECK_IS(migration_bpf__attach(skel), 0);
	CHECK(skel->links.on_frame && skel->links.on_packet && !skel->links.on_connection);

	large = bpf_buffer__open(skel->maps.ring, on_large, &records);
	CHECK(large);
	poll_until_seen(large);
	CHECK_IS(seen_size, sizeof(struct large));
	bpf_buffer__free(large);

	lengths = bpf_buffer__open(skel->maps.perf, on_length, &records);
	CHECK(lengths);
	poll_until_seen(lengths);
	CHECK(seen_length >= 6 + 28 + 14);
	bpf_buffer__free(lengths);
	bpf_buffer__free(NULL);

	CHECK_NULL(bpf_buffer__open(NULL, on_large, NULL), EINVAL);
	CHECK_NULL(bpf_buffer__open(skel->maps.ring, NULL, NULL), EINVAL);
	bpf_set_prog_attach_target(skel->progs.on_frame, "nosuch0");
	CHECK_NULL(bpf_program__attach(skel->progs.on_frame), ENODEV);
	// Without a target the section decides, which names none here.
	bpf_set_prog_attach_target(skel->progs.on_frame, "");
	CHECK_NULL(bpf_program__attach(skel->progs.on_frame), EOPNOTSUPP);
	migration_bpf__destroy(skel);
	return 0;
}
