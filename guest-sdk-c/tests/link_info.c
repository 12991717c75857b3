// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What is known of links to tracepoints, functions of a file, events, network interfaces and hooks of netfilter, in the newest struct that
// the kernel has.
// needs: netns tracefs target
#include <linux/netfilter.h>
#include <linux/perf_event.h>
#include <net/if.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "check.h"
#include "link_info.skel.h"

#define BINARY "/target/probed"

// The kernel's headers may be older than what is asked for.
union about {
	struct bpf_link_info known;
	struct {
		__u32 type, id, prog_id, : 32;
		union {
			struct {
				__u32 ifindex;
			} xdp;
			struct {
				__u32 pf, hooknum;
				__s32 priority;
				__u32 flags;
			} netfilter;
			struct {
				__u64 path, offsets, ref_ctr_offsets, cookies;
				__u32 path_size, count, flags, pid;
			} uprobe_multi;
			struct {
				__u32 type, : 32;
				union {
					struct {
						__u64 name;
						__u32 name_len, offset;
						__u64 cookie;
					} named; // uprobe and tracepoint
					struct {
						__u64 config;
						__u32 type, : 32;
						__u64 cookie;
					} event;
				};
			} perf_event;
		};
	};
};

enum { UPROBE = 1, URETPROBE = 2, TRACEPOINT = 5, EVENT = 6 };

static struct link_info_bpf *skel;

static void ask(const struct bpf_link *link, union about *about, enum bpf_link_type type)
{
	__u32 length = sizeof(*about);

	CHECK(link);
	CHECK_IS(bpf_link_get_info_by_fd(bpf_link__fd(link), &about->known, &length), 0);
	CHECK(length >= sizeof(*about) - 8);
	CHECK_IS(about->type, type);
	CHECK(about->id && about->prog_id);
}

static void tracepoint(void)
{
	LIBBPF_OPTS(bpf_tracepoint_opts, opts, .bpf_cookie = 1ull << 40);
	struct bpf_link *link = bpf_program__attach_tracepoint_opts(skel->progs.at_tracepoint, "sched", "sched_switch", &opts);
	union about about = {};
	char name[32];

	about.perf_event.named.name = (uintptr_t)name;
	about.perf_event.named.name_len = sizeof(name);
	ask(link, &about, BPF_LINK_TYPE_PERF_EVENT);
	CHECK_IS(about.perf_event.type, TRACEPOINT);
	CHECK_TEXT(name, "sched_switch");
	CHECK_IS(about.perf_event.named.name_len, sizeof("sched_switch"));
	CHECK_IS(about.perf_event.named.cookie, 1ull << 40);
	bpf_link__destroy(link);
}

static void function(void)
{
	LIBBPF_OPTS(bpf_uprobe_opts, opts, .func_name = "probed_add", .bpf_cookie = 7, .retprobe = true);
	struct bpf_link *link = bpf_program__attach_uprobe_opts(skel->progs.at_function, -1, BINARY, 0, &opts);
	union about about = {};

	ask(link, &about, BPF_LINK_TYPE_PERF_EVENT);
	CHECK_IS(about.perf_event.type, URETPROBE);
	CHECK(about.perf_event.named.offset);
	CHECK_IS(about.perf_event.named.cookie, 7);
	bpf_link__destroy(link);
}

static void functions(void)
{
	const char *names[] = { "probed_add", "probed_double" };
	__u64 cookies[] = { 3, 1ull << 33 }, offsets[4] = {}, got[4] = {};
	LIBBPF_OPTS(bpf_uprobe_multi_opts, opts, .syms = names, .cookies = cookies, .cnt = 2);
	struct bpf_link *link = bpf_program__attach_uprobe_multi(skel->progs.at_functions, -1, BINARY, NULL, &opts);
	union about about = {};
	__u32 length = sizeof(about);

	about.uprobe_multi.offsets = (uintptr_t)offsets;
	about.uprobe_multi.cookies = (uintptr_t)got;
	about.uprobe_multi.count = 4;
	ask(link, &about, 12);
	CHECK_IS(about.uprobe_multi.count, 2);
	CHECK_IS(about.uprobe_multi.flags, 0);
	CHECK(about.uprobe_multi.path_size > 1);
	CHECK(offsets[0] && offsets[1] && offsets[0] != offsets[1] && !offsets[2]);
	CHECK_IS(got[0], 3);
	CHECK_IS(got[1], 1ull << 33);
	CHECK_IS(got[2], 0);

	// Room for one.
	memset(&about, 0, sizeof(about));
	memset(offsets, 0, sizeof(offsets));
	about.uprobe_multi.offsets = (uintptr_t)offsets;
	about.uprobe_multi.count = 1;
	CHECK_ERR(bpf_link_get_info_by_fd(bpf_link__fd(link), &about.known, &length), ENOSPC);
	CHECK(offsets[0] && !offsets[1]);
	about.uprobe_multi.count = 0;
	CHECK_ERR(bpf_link_get_info_by_fd(bpf_link__fd(link), &about.known, &length), EINVAL);
	bpf_link__destroy(link);
}

static void event(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_CONTEXT_SWITCHES, .sample_period = 1,
	};
	LIBBPF_OPTS(bpf_perf_event_opts, opts, .bpf_cookie = 5);
	union about about = {};
	struct bpf_link *link;
	int fd;

	fd = syscall(__NR_perf_event_open, &attr, 0, -1, -1, 0);
	CHECK(fd >= 0);
	link = bpf_program__attach_perf_event_opts(skel->progs.at_sample, fd, &opts);
	ask(link, &about, BPF_LINK_TYPE_PERF_EVENT);
	CHECK_IS(about.perf_event.type, EVENT);
	CHECK_IS(about.perf_event.event.type, PERF_TYPE_SOFTWARE);
	CHECK_IS(about.perf_event.event.config, PERF_COUNT_SW_CONTEXT_SWITCHES);
	CHECK_IS(about.perf_event.event.cookie, 5);
	bpf_link__destroy(link);
}

static void network(void)
{
	const int index = if_nametoindex("veth0");
	LIBBPF_OPTS(bpf_netfilter_opts, opts, .pf = NFPROTO_IPV4, .hooknum = NF_INET_LOCAL_IN, .priority = -7);
	union about about = {};
	struct bpf_link *link;

	CHECK(index > 0);
	link = bpf_program__attach_xdp(skel->progs.at_packet, index);
	ask(link, &about, BPF_LINK_TYPE_XDP);
	CHECK_IS(about.xdp.ifindex, index);
	bpf_link__destroy(link);

	memset(&about, 0, sizeof(about));
	link = bpf_program__attach_netfilter(skel->progs.at_hook, &opts);
	ask(link, &about, 10);
	CHECK_IS(about.netfilter.pf, NFPROTO_IPV4);
	CHECK_IS(about.netfilter.hooknum, NF_INET_LOCAL_IN);
	CHECK_IS(about.netfilter.priority, -7);
	CHECK_IS(about.netfilter.flags, 0);
	bpf_link__destroy(link);
}

int main(void)
{
	libbpf_set_print(NULL);
	skel = link_info_bpf__open_and_load();
	CHECK(skel);
	tracepoint();
	function();
	functions();
	event();
	network();
	link_info_bpf__destroy(skel);
	return 0;
}
