// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A program in C++ that includes all headers there are, and calls what has another name behind it, from each.
// needs: --dir /etc
#include <argp.h>
#include <arpa/inet.h>
#include <asm/unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <bpf/libbpf_common.h>
#include <bpf/libbpf_legacy.h>
#include <bpf/libbpf_version.h>
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <gelf.h>
#include <grp.h>
#include <libbpf-wasm.h>
#include <libelf.h>
#include <libgen.h>
#include <mntent.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/if_ether.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/cdefs.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <wasm-bpf.h>
#include <err.h>
#include <getopt.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/select.h>
#include <sys/uio.h>
#include <sys/un.h>

#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/perf_event.h>
#include <linux/pkt_cls.h>
#include <linux/rtnetlink.h>

#include "check.h"
#include "object.skel.h"

namespace {

int on_event(void *, void *, size_t)
{
	return 0;
}

error_t parse(int key, char *, argp_state *state)
{
	if (key != 'v')
		return ARGP_ERR_UNKNOWN;
	*static_cast<bool *>(state->input) = true;
	return 0;
}

void test_platform()
{
	const argp_option options[] = { { "verbose", 'v', nullptr, 0, "Say more", 0 }, {} };
	const struct argp parser = { options, parse, nullptr, "Does nothing", nullptr, nullptr, nullptr };
	char name[] = "prog", option[] = "-v", *arguments[] = { name, option, nullptr };
	char text[INET6_ADDRSTRLEN];
	struct sockaddr_in6 address = {};
	bool is_verbose = false;
	time_t now = time(nullptr);
	struct timespec clock;
	struct utsname names;
	int fd;

	CHECK_IS(argp_parse(&parser, 2, arguments, 0, nullptr, &is_verbose), 0);
	CHECK(is_verbose);
	address.sin6_addr = IN6ADDR_LOOPBACK_INIT;
	CHECK_TEXT(inet_ntop(AF_INET6, &address.sin6_addr, text, sizeof(text)), "::1");
	CHECK(localtime(&now));
	CHECK_IS(clock_gettime(CLOCK_BOOTTIME, &clock), 0);
	CHECK_IS(uname(&names), 0);
	CHECK(getpid() > 0 && getpwuid(0) && sysconf(_SC_PAGESIZE) > 0);
	fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	CHECK_IS(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	CHECK_IS(close(fd), 0);
	CHECK_IS(open("/nowhere", O_RDONLY), -1);
	CHECK_IS(errno, 2);
	CHECK_TEXT(strerror(errno), "No such file or directory");
	CHECK(signal(SIGINT, SIG_IGN) == SIG_DFL);
	CHECK(if_nametoindex("lo"));
}

// A skeleton has functions and static members for C++.
void test_skeleton()
{
#pragma clang diagnostic push
	// clang++ wants all fields named with -Wextra, of libbpf's own headers, too.
#pragma clang diagnostic ignored "-Wmissing-field-initializers"
	LIBBPF_OPTS(bpf_object_open_opts, options, .relaxed_maps = true);
#pragma clang diagnostic pop
	auto *skel = object_bpf::open(&options);

	CHECK(skel);
	CHECK_TEXT(bpf_object__name(skel->obj), "object_bpf");
	CHECK_IS(object_bpf::load(skel), 0);
	CHECK(btf__type_cnt(bpf_object__btf(skel->obj)) > 1);
	object_bpf::destroy(skel);
	CHECK(!ring_buffer__new(-1, on_event, nullptr, nullptr));
	CHECK_IS(errno, EBADF);
}

} // namespace

int main()
{
	test_platform();
	test_skeleton();
	return 0;
}
