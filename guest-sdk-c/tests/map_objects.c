// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Maps whose values are descriptors for libbpf: of programs, maps, cgroups, perf events, sockets, devices and CPUs with programs; and
// those whose keys are.
// needs: netns cgroup
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"
#include "map_objects.skel.h"

static struct map_objects_bpf *skel;

static __u32 run(void)
{
	char packet[64] = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = packet, .data_size_in = sizeof(packet));

	CHECK_IS(bpf_prog_test_run_opts(bpf_program__fd(skel->progs.first), &opts), 0);
	return opts.retval;
}

static void programs(void)
{
	int map = bpf_map__fd(skel->maps.programs), second = bpf_program__fd(skel->progs.second), other = bpf_program__fd(skel->progs.where);
	__u32 key = 1, id = 0;

	CHECK_IS(run(), XDP_DROP);
	CHECK_ERR(bpf_map_lookup_elem(map, &key, &id), ENOENT);
	// All programs in it have to be of one kind.
	CHECK_IS(bpf_map_update_elem(map, &key, &second, BPF_ANY), 0);
	CHECK_ERR(bpf_map_update_elem(map, &key, &other, BPF_ANY), EINVAL);
	CHECK_IS(run(), XDP_PASS);
	CHECK_IS(bpf_map_lookup_elem(map, &key, &id), 0);
	CHECK(id);
	CHECK_IS(bpf_map__delete_elem(skel->maps.programs, &key, 4, 0), 0);
	CHECK_IS(run(), XDP_DROP);
	key = 2;
	CHECK_ERR(bpf_map_update_elem(map, &key, &second, BPF_ANY), E2BIG);
}

static void maps(void)
{
	int inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "inner", 4, 4, 1, NULL);
	__u32 key = 0, value = 77;

	CHECK(inner > 2);
	CHECK_IS(bpf_map_update_elem(inner, &key, &value, BPF_ANY), 0);
	key = 1;
	CHECK_IS(bpf_map__update_elem(skel->maps.maps, &key, 4, &inner, 4, BPF_ANY), 0);
	CHECK_IS(close(inner), 0);
	run();
	CHECK_IS(skel->bss->in_map, 77);
	CHECK_IS(bpf_map__delete_elem(skel->maps.maps, &key, 4, 0), 0);
	run();
	CHECK_IS(skel->bss->in_map, 0);
}

static void cgroups(void)
{
	int map = bpf_map__fd(skel->maps.cgroups), storage = bpf_map__fd(skel->maps.of_cgroups);
	int cgroup = open("/cgroup", O_RDONLY | O_DIRECTORY), file = open("/cgroup/cgroup.procs", O_RDONLY);
	struct bpf_link *link = bpf_program__attach(skel->progs.where);
	__u64 value = 5;
	__u32 key = 0;

	CHECK(cgroup >= 0);
	CHECK(file >= 0);
	CHECK(link);
	usleep(1000);
	CHECK_IS(skel->bss->in_cgroup, -EAGAIN);
	CHECK_ERR(bpf_map_update_elem(map, &key, &file, BPF_ANY), EBADF);
	CHECK_IS(bpf_map_update_elem(map, &key, &cgroup, BPF_ANY), 0);
	usleep(1000);
	CHECK_IS(skel->bss->in_cgroup, 0);
	CHECK_IS(bpf_map_delete_elem(map, &key), 0);
	CHECK_IS(bpf_link__destroy(link), 0);

	CHECK_ERR(bpf_map_lookup_elem(storage, &cgroup, &value), ENOENT);
	CHECK_ERR(bpf_map_update_elem(storage, &cgroup, &value, BPF_EXIST), ENOENT);
	CHECK_IS(bpf_map_update_elem(storage, &cgroup, &value, BPF_ANY), 0);
	value = 0;
	CHECK_IS(bpf_map_lookup_elem(storage, &cgroup, &value), 0);
	CHECK_IS(value, 5);
	CHECK_IS(bpf_map_delete_elem(storage, &cgroup), 0);
	CHECK_ERR(bpf_map_delete_elem(storage, &cgroup), ENOENT);
	CHECK_IS(close(cgroup) | close(file), 0);
	CHECK_ERR(bpf_map_update_elem(map, &key, &cgroup, BPF_ANY), EBADF);
	CHECK_ERR(bpf_map_lookup_elem(storage, &cgroup, &value), EBADF);
}

static void devices(void)
{
	struct bpf_devmap_val value = { .ifindex = if_nametoindex("veth0"), .bpf_prog.fd = bpf_program__fd(skel->progs.at_device) }, got;
	int map = bpf_map__fd(skel->maps.devices);
	__u32 key = 1;

	CHECK(value.ifindex);
	CHECK_IS(bpf_map_update_elem(map, &key, &value, BPF_ANY), 0);
	CHECK_IS(bpf_map_lookup_elem(map, &key, &got), 0);
	CHECK_IS(got.ifindex, value.ifindex);
	CHECK(got.bpf_prog.id);
	// A program for something else; then none.
	value.bpf_prog.fd = bpf_program__fd(skel->progs.first);
	CHECK_ERR(bpf_map_update_elem(map, &key, &value, BPF_ANY), EINVAL);
	value.bpf_prog.fd = -1;
	CHECK_IS(bpf_map_update_elem(map, &key, &value, BPF_ANY), 0);
	CHECK_IS(bpf_map_lookup_elem(map, &key, &got), 0);
	CHECK_IS(got.bpf_prog.id, 0);
	// The number 0 takes out what is there.
	value = (struct bpf_devmap_val){ 0 };
	CHECK_IS(bpf_map_update_elem(map, &key, &value, BPF_ANY), 0);
	CHECK_ERR(bpf_map_lookup_elem(map, &key, &got), ENOENT);
	key = 2;
	value.ifindex = 1;
	CHECK_ERR(bpf_map_update_elem(map, &key, &value, BPF_ANY), E2BIG);
}

static void cpus(void)
{
	struct bpf_cpumap_val value = { .qsize = 192, .bpf_prog.fd = bpf_program__fd(skel->progs.at_cpu) }, got;
	int map = bpf_map__fd(skel->maps.cpus);
	__u32 key = 0;

	CHECK_IS(bpf_map_update_elem(map, &key, &value, BPF_ANY), 0);
	CHECK_IS(bpf_map_lookup_elem(map, &key, &got), 0);
	CHECK_IS(got.qsize, 192);
	CHECK(got.bpf_prog.id);
	value.bpf_prog.fd = bpf_program__fd(skel->progs.at_device);
	// The kernel finds no better number.
	CHECK_ERR(bpf_map_update_elem(map, &key, &value, BPF_ANY), ON_GUEST(EINVAL, ENOMEM));
	value.qsize = 16385;
	CHECK_ERR(bpf_map_update_elem(map, &key, &value, BPF_ANY), EOVERFLOW);
	CHECK_IS(bpf_map_delete_elem(map, &key), 0);
	CHECK_ERR(bpf_map_lookup_elem(map, &key, &got), ENOENT);
}

static void events(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_BPF_OUTPUT };
	int map = bpf_map__fd(skel->maps.events), event = syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0);
	__u32 key = 0, value;

	CHECK(event > 2);
	CHECK_IS(bpf_map_update_elem(map, &key, &event, BPF_ANY), 0);
	// Nothing can be looked up in it.
	CHECK(bpf_map_lookup_elem(map, &key, &value) < 0);
	CHECK_IS(bpf_map_delete_elem(map, &key), 0);
	CHECK_ERR(bpf_map_delete_elem(map, &key), ENOENT);
	CHECK_IS(close(event), 0);
	CHECK_ERR(bpf_map_update_elem(map, &key, &event, BPF_ANY), EBADF);
}

static void sockets(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int map = bpf_map__fd(skel->maps.sockets), storage = bpf_map__fd(skel->maps.of_sockets);
	int udp = socket(AF_INET, SOCK_DGRAM, 0);
	__u64 cookie = 0, value = udp;
	__u32 key = 1;

	CHECK(udp > 2);
	CHECK_IS(bind(udp, (struct sockaddr *)&address, sizeof(address)), 0);
	CHECK_IS(bpf_map_update_elem(map, &key, &value, BPF_ANY), 0);
	CHECK_IS(bpf_map_lookup_elem(map, &key, &cookie), 0);
	CHECK(cookie);
	CHECK_IS(bpf_map_delete_elem(map, &key), 0);
	CHECK_ERR(bpf_map_lookup_elem(map, &key, &cookie), ENOENT);

	value = 9;
	CHECK_IS(bpf_map_update_elem(storage, &udp, &value, BPF_NOEXIST), 0);
	CHECK_ERR(bpf_map_update_elem(storage, &udp, &value, BPF_NOEXIST), EEXIST);
	value = 0;
	CHECK_IS(bpf_map_lookup_elem(storage, &udp, &value), 0);
	CHECK_IS(value, 9);
	CHECK_IS(bpf_map_delete_elem(storage, &udp), 0);
	CHECK_ERR(bpf_map_lookup_elem(storage, &udp, &value), ENOENT);
	CHECK_IS(close(udp), 0);
	CHECK_ERR(bpf_map_lookup_elem(storage, &udp, &value), EBADF);
}

static void tasks(void)
{
	int map = bpf_map__fd(skel->maps.tasks), own = pidfd_open(getpid(), 0);
	__u64 value = 3;

	CHECK(own > 2);
	CHECK_ERR(bpf_map_lookup_elem(map, &own, &value), ENOENT);
	CHECK_IS(bpf_map_update_elem(map, &own, &value, BPF_ANY), 0);
	value = 0;
	CHECK_IS(bpf_map_lookup_elem(map, &own, &value), 0);
	CHECK_IS(value, 3);
	CHECK_IS(bpf_map_delete_elem(map, &own), 0);
	CHECK_ERR(bpf_map_delete_elem(map, &own), ENOENT);
	CHECK_IS(close(own), 0);
	CHECK_ERR(bpf_map_lookup_elem(map, &own, &value), EBADF);
	CHECK_IS(pidfd_open(0, 0), -1);
	CHECK_IS(errno, EINVAL);
	CHECK_IS(pidfd_open(1, 1), -1);
	CHECK_IS(errno, EINVAL);
}

int main(void)
{
	skel = map_objects_bpf__open_and_load();
	CHECK(skel);
	programs();
	maps();
	cgroups();
	devices();
	cpus();
	events();
	sockets();
	tasks();
	map_objects_bpf__destroy(skel);
	return 0;
}
