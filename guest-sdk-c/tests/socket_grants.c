// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sockets under a policy for one interface and one address: a program that is attached before bind() waits for it, and nothing else is to be had.
// grants: socket-filter=lo socket=127.0.0.1:7777 sockmap xdp=lo
// needs: netns
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "check.h"
#include "sockets.skel.h"

#define FAILS(call, number) \
	do { \
		errno = 0; \
		long result_ = (call); \
		if (result_ != -1 || errno != (number)) \
			FAIL_CHECK("%s gave %ld with errno %d, not -1 with %s = %d", #call, result_, errno, #number, (number)); \
	} while (0)

static int bind_packets(int fd, const char *interface)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_ifindex = interface ? if_nametoindex(interface) : 0 };

	return bind(fd, (struct sockaddr *)&address, sizeof(address));
}

int main(void)
{
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)), sender, program;
	struct sockets_bpf *skel = sockets_bpf__open_and_load();
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(7777), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	char buffer[128];

	CHECK(fd > 2);
	CHECK(skel);
	program = bpf_program__fd(skel->progs.on_packet);
	skel->bss->keep = 100;
	FAILS(recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT), EPERM);
	FAILS(bind_packets(fd, "veth0"), EPERM);
	FAILS(bind_packets(fd, NULL), EPERM);
	CHECK_IS(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program)), 0);
	FAILS(bind_packets(fd, "veth0"), EPERM);
	CHECK_IS(bind_packets(fd, "lo"), 0);
	// The socket keeps the program.
	FAILS(bind_packets(fd, "veth0"), EPERM);

	sender = socket(AF_INET, SOCK_DGRAM, 0);
	address.sin_port = htons(7778);
	FAILS(connect(sender, (struct sockaddr *)&address, sizeof(address)), EPERM);
	FAILS(bind(sender, (struct sockaddr *)&address, sizeof(address)), EPERM);
	address.sin_port = htons(7777);
	CHECK_IS(connect(sender, (struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_IS(send(sender, "knock", 5, 0), 5);
	CHECK_IS(recv(fd, buffer, sizeof(buffer), 0), 14 + 20 + 8 + 5);
	CHECK(skel->bss->seen >= 1);
	CHECK_IS(setsockopt(fd, SOL_SOCKET, SO_DETACH_BPF, NULL, 0), 0);
	close(fd);

	// What waits for bind() can be taken back.
	fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	CHECK_IS(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program)), 0);
	CHECK_IS(setsockopt(fd, SOL_SOCKET, SO_DETACH_BPF, NULL, 0), 0);
	FAILS(setsockopt(fd, SOL_SOCKET, SO_DETACH_BPF, NULL, 0), ENOENT);
	CHECK_IS(bind_packets(fd, "lo"), 0);
	skel->bss->seen = 0;
	CHECK(send(sender, "knock", 5, 0) == 5 || errno == ECONNREFUSED);
	CHECK_IS(skel->bss->seen, 0);
	close(fd);

	// One of another kind is told by bind().
	fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	program = bpf_program__fd(skel->progs.other);
	CHECK_IS(setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, &program, sizeof(program)), 0);
	FAILS(bind_packets(fd, "lo"), EINVAL);
	close(fd);
	close(sender);
	sockets_bpf__destroy(skel);
	return 0;
}
