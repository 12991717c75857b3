// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Maps by descriptor: made, read and written, with every kind of value that a guest can give. Errors are those of the kernel.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <unistd.h>

#include "check.h"

static int make(enum bpf_map_type type, __u32 key_size, __u32 value_size, __u32 entries, __u32 flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags);
	int fd = bpf_map_create(type, "access", key_size, value_size, entries, &opts);

	CHECK(fd > 2);
	return fd;
}

// Keys and values of these sizes go and come back, whichever way they take to the host.
static void sizes(enum bpf_map_type type, __u32 key_size, __u32 value_size)
{
	unsigned char key[40] = { 0 }, next[40], value[40], got[41];
	int fd = make(type, key_size, value_size, 4, 0), count = 0;

	memset(value, 0xa5, sizeof(value));
	memset(got, 0x11, sizeof(got));
	key[0] = 1;
	value[0] = 7;
	CHECK_IS(bpf_map_update_elem(fd, key, value, BPF_ANY), 0);
	CHECK_IS(bpf_map_lookup_elem(fd, key, got), 0);
	CHECK(!memcmp(got, value, value_size));
	// Not a byte more.
	CHECK_IS(got[value_size], 0x11);
	for (int err = bpf_map_get_next_key(fd, NULL, next); !err; err = bpf_map_get_next_key(fd, next, next))
		count++;
	CHECK_IS(errno, ENOENT);
	CHECK_IS(count, type == BPF_MAP_TYPE_ARRAY ? 4 : 1);
	CHECK_IS(close(fd), 0);
}

static void hash(void)
{
	int fd = make(BPF_MAP_TYPE_HASH, 4, 4, 2, 0);
	__u32 key = 1, value = 10, next;

	CHECK_ERR(bpf_map_lookup_elem(fd, &key, &value), ENOENT);
	CHECK_ERR(bpf_map_delete_elem(fd, &key), ENOENT);
	CHECK_ERR(bpf_map_get_next_key(fd, NULL, &next), ENOENT);
	CHECK_ERR(bpf_map_update_elem(fd, &key, &value, BPF_EXIST), ENOENT);
	CHECK_IS(bpf_map_update_elem(fd, &key, &value, BPF_NOEXIST), 0);
	CHECK_ERR(bpf_map_update_elem(fd, &key, &value, BPF_NOEXIST), EEXIST);
	value = 11;
	CHECK_IS(bpf_map_update_elem(fd, &key, &value, BPF_EXIST), 0);
	key = 2;
	CHECK_IS(bpf_map_update_elem(fd, &key, &value, BPF_ANY), 0);
	key = 3;
	CHECK_ERR(bpf_map_update_elem(fd, &key, &value, BPF_ANY), E2BIG);
	CHECK_ERR(bpf_map_update_elem(fd, &key, &value, 99), EINVAL);
	// There is no lock in the value.
	CHECK_ERR(bpf_map_update_elem(fd, &key, &value, BPF_F_LOCK), EINVAL);
	key = 1;
	CHECK_ERR(bpf_map_lookup_elem_flags(fd, &key, &value, BPF_F_LOCK), EINVAL);
	CHECK_IS(bpf_map_lookup_elem_flags(fd, &key, &value, 0), 0);
	CHECK_ERR(bpf_map_lookup_and_delete_elem_flags(fd, &key, &value, BPF_F_LOCK), EINVAL);
	value = 0;
	CHECK_IS(bpf_map_lookup_and_delete_elem(fd, &key, &value), 0);
	CHECK_IS(value, 11);
	CHECK_ERR(bpf_map_lookup_and_delete_elem(fd, &key, &value), ENOENT);
	key = 2;
	CHECK_ERR(bpf_map_delete_elem_flags(fd, &key, 1), EINVAL);
	CHECK_IS(bpf_map_delete_elem_flags(fd, &key, 0), 0);

	// What user space has frozen it cannot change any more, nor freeze again.
	CHECK_IS(bpf_map_freeze(fd), 0);
	CHECK_ERR(bpf_map_update_elem(fd, &key, &value, BPF_ANY), EPERM);
	CHECK_ERR(bpf_map_freeze(fd), EPERM);
	CHECK_IS(close(fd), 0);
}

static void array(void)
{
	int fd = make(BPF_MAP_TYPE_ARRAY, 4, 8, 3, 0);
	__u64 value = 1ULL << 40;
	__u32 key = 2;

	CHECK_IS(bpf_map_update_elem(fd, &key, &value, BPF_ANY), 0);
	value = 0;
	CHECK_IS(bpf_map_lookup_elem(fd, &key, &value), 0);
	CHECK_IS(value, 1LL << 40);
	CHECK_ERR(bpf_map_delete_elem(fd, &key), EINVAL);
	CHECK_ERR(bpf_map_update_elem(fd, &key, &value, BPF_NOEXIST), EEXIST);
	key = 3;
	CHECK_ERR(bpf_map_lookup_elem(fd, &key, &value), ENOENT);
	CHECK_ERR(bpf_map_update_elem(fd, &key, &value, BPF_ANY), E2BIG);
	CHECK_IS(close(fd), 0);
}

static void percpu(void)
{
	int fd = make(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 4, 1, 0), cpus = libbpf_num_possible_cpus();
	__u64 *values = calloc(cpus, 8), *got = calloc(cpus, 8);
	__u32 key = 0;

	CHECK(values && got);
	for (int cpu = 0; cpu < cpus; cpu++)
		values[cpu] = cpu + 1;
	CHECK_IS(bpf_map_update_elem(fd, &key, values, BPF_ANY), 0);
	CHECK_IS(bpf_map_lookup_elem(fd, &key, got), 0);
	CHECK(!memcmp(values, got, cpus * 8));
	free(values);
	free(got);
	CHECK_IS(close(fd), 0);
}

static void without_keys(void)
{
	int queue = make(BPF_MAP_TYPE_QUEUE, 0, 4, 2, 0), stack = make(BPF_MAP_TYPE_STACK, 0, 4, 2, 0);
	int bloom = make(BPF_MAP_TYPE_BLOOM_FILTER, 0, 4, 16, 0);
	__u32 value;

	for (value = 1; value <= 2; value++) {
		CHECK_IS(bpf_map_update_elem(queue, NULL, &value, BPF_ANY), 0);
		CHECK_IS(bpf_map_update_elem(stack, NULL, &value, BPF_ANY), 0);
	}
	CHECK_ERR(bpf_map_update_elem(queue, NULL, &value, BPF_ANY), E2BIG);
	CHECK_ERR(bpf_map_update_elem(queue, NULL, &value, BPF_NOEXIST), EINVAL);
	CHECK_IS(bpf_map_lookup_elem(stack, NULL, &value), 0);
	CHECK_IS(value, 2);
	CHECK_IS(bpf_map_lookup_and_delete_elem(stack, NULL, &value), 0);
	CHECK_IS(bpf_map_lookup_and_delete_elem(stack, NULL, &value), 0);
	CHECK_IS(value, 1);
	CHECK_ERR(bpf_map_lookup_and_delete_elem(stack, NULL, &value), ENOENT);
	// A full queue makes room by its oldest.
	value = 3;
	CHECK_IS(bpf_map_update_elem(queue, NULL, &value, BPF_EXIST), 0);
	CHECK_IS(bpf_map_lookup_elem(queue, NULL, &value), 0);
	CHECK_IS(value, 2);

	value = 77;
	CHECK_ERR(bpf_map_lookup_elem(bloom, NULL, &value), ENOENT);
	CHECK_IS(bpf_map_update_elem(bloom, NULL, &value, BPF_ANY), 0);
	CHECK_IS(bpf_map_lookup_elem(bloom, NULL, &value), 0);
	CHECK_IS(value, 77);
	CHECK_IS(close(queue) | close(stack) | close(bloom), 0);
}

static void maps_of_maps(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);
	int inner = make(BPF_MAP_TYPE_HASH, 4, 4, 2, 0), other = make(BPF_MAP_TYPE_HASH, 4, 8, 2, 0), outer;
	__u32 key = 1, id = 0;

	CHECK_ERR(bpf_map_create(BPF_MAP_TYPE_HASH_OF_MAPS, "outer", 4, 4, 2, NULL), EINVAL);
	opts.inner_map_fd = inner;
	outer = bpf_map_create(BPF_MAP_TYPE_HASH_OF_MAPS, "outer", 4, 4, 2, &opts);
	CHECK(outer > 2);
	CHECK_ERR(bpf_map_lookup_elem(outer, &key, &id), ENOENT);
	CHECK_IS(bpf_map_update_elem(outer, &key, &inner, BPF_ANY), 0);
	// What comes back is the kernel's id, as natively.
	CHECK_IS(bpf_map_lookup_elem(outer, &key, &id), 0);
	CHECK(id);
	// Not like the one that it was made for.
	CHECK_ERR(bpf_map_update_elem(outer, &key, &other, BPF_ANY), EINVAL);
	CHECK_ERR(bpf_map_update_elem(outer, &key, &(int){ -1 }, BPF_ANY), EBADF);
	// It stays in the kernel without its descriptor.
	CHECK_IS(close(inner), 0);
	CHECK_IS(bpf_map_lookup_elem(outer, &key, &id), 0);
	CHECK_IS(bpf_map_delete_elem(outer, &key), 0);
	CHECK_ERR(bpf_map_update_elem(outer, &key, &inner, BPF_ANY), EBADF);
	CHECK_IS(close(other) | close(outer), 0);

	opts.inner_map_fd = 12345;
	CHECK_ERR(bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "outer", 4, 4, 2, &opts), EBADF);
}

static void of_objects(void)
{
	int programs = make(BPF_MAP_TYPE_PROG_ARRAY, 4, 4, 2, 0), cpus = make(BPF_MAP_TYPE_CPUMAP, 4, 4, 2, 0);
	int devices = make(BPF_MAP_TYPE_DEVMAP_HASH, 4, 4, 2, 0), sockets = make(BPF_MAP_TYPE_SOCKMAP, 4, 4, 2, 0);
	int cgroups = make(BPF_MAP_TYPE_CGROUP_ARRAY, 4, 4, 2, 0), events = make(BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 2, 0);
	__u32 key = 0, value = 100, ifindex = 1;

	CHECK_ERR(bpf_map_update_elem(programs, &key, &programs, BPF_ANY), EINVAL);
	CHECK_ERR(bpf_map_update_elem(sockets, &key, &programs, BPF_ANY), ENOTSOCK);
	CHECK_ERR(bpf_map_update_elem(cgroups, &key, &programs, BPF_ANY), EBADF);
	CHECK_ERR(bpf_map_update_elem(events, &key, &programs, BPF_ANY), EBADF);

	CHECK_IS(bpf_map_update_elem(cpus, &key, &value, BPF_ANY), 0);
	value = 0;
	CHECK_IS(bpf_map_lookup_elem(cpus, &key, &value), 0);
	CHECK_IS(value, 100);
	// As in the kernel: a queue without room for a packet is none.
	value = 0;
	CHECK_IS(bpf_map_update_elem(cpus, &key, &value, BPF_ANY), 0);
	CHECK_ERR(bpf_map_lookup_elem(cpus, &key, &value), ENOENT);

	CHECK_IS(bpf_map_update_elem(devices, &key, &ifindex, BPF_ANY), 0);
	CHECK_IS(bpf_map_lookup_elem(devices, &key, &value), 0);
	CHECK_IS(value, 1);
	ifindex = 987654;
	CHECK_ERR(bpf_map_update_elem(devices, &key, &ifindex, BPF_ANY), EINVAL);
	ifindex = 0;
	CHECK_ERR(bpf_map_update_elem(devices, &key, &ifindex, BPF_ANY), EINVAL);
	CHECK_IS(close(programs) | close(cpus) | close(devices) | close(sockets) | close(cgroups) | close(events), 0);
}

static void create(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_extra = 3);
	struct { struct bpf_map_create_opts known; char newer[8]; } larger;
	int fd;

	// A name is cut to what the kernel keeps.
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "a_name_of_more_than_15", 4, 4, 1, NULL);
	CHECK(fd > 2);
	CHECK_IS(close(fd), 0);
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, NULL, 4, 4, 1, NULL);
	CHECK(fd > 2);
	CHECK_IS(close(fd), 0);
	fd = bpf_map_create(BPF_MAP_TYPE_BLOOM_FILTER, "extra", 0, 4, 1, &opts);
	CHECK(fd > 2);
	CHECK_IS(close(fd), 0);
	CHECK_ERR(bpf_map_create(BPF_MAP_TYPE_ARRAY, "bad name", 4, 4, 1, NULL), EINVAL);
	CHECK_ERR(bpf_map_create(BPF_MAP_TYPE_ARRAY, "key", 8, 4, 1, NULL), EINVAL);
	CHECK_ERR(bpf_map_create(BPF_MAP_TYPE_ARRAY, "none", 4, 4, 0, NULL), EINVAL);
	opts.map_extra = 0;
	opts.map_flags = 1u << 30;
	CHECK_ERR(bpf_map_create(BPF_MAP_TYPE_ARRAY, "flags", 4, 4, 1, &opts), EINVAL);
	opts.map_flags = 0;
	opts.map_ifindex = 1;
	CHECK_ERR(bpf_map_create(BPF_MAP_TYPE_ARRAY, "device", 4, 4, 1, &opts), EOPNOTSUPP);
	opts.map_ifindex = 0;
	opts.map_flags = 1 << 16; /* BPF_F_TOKEN_FD */
	opts.token_fd = 1;
	CHECK_ERR(bpf_map_create(BPF_MAP_TYPE_ARRAY, "token", 4, 4, 1, &opts), ON_GUEST(EOPNOTSUPP, EINVAL));

	// Options of a newer libbpf are fine as long as they ask for nothing.
	memset(&larger, 0, sizeof(larger));
	larger.known.sz = sizeof(larger);
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "newer", 4, 4, 1, &larger.known);
	CHECK(fd > 2);
	CHECK_IS(close(fd), 0);
	larger.newer[0] = 1;
	CHECK_ERR(bpf_map_create(BPF_MAP_TYPE_ARRAY, "newer", 4, 4, 1, &larger.known), EINVAL);
	larger.known.sz = 2;
	CHECK_ERR(bpf_map_create(BPF_MAP_TYPE_ARRAY, "small", 4, 4, 1, &larger.known), EINVAL);
}

static void numbers(void)
{
	int fd = make(BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0), other;
	__u32 key = 0, value = 9;

	CHECK_ERR(bpf_map_lookup_elem(-1, &key, &value), EBADF);
	CHECK_ERR(bpf_map_delete_elem(fd + 1, &key), EBADF);
	CHECK_ERR(bpf_map_get_next_key(1000000, &key, &key), EBADF);
	CHECK_ERR(bpf_map_lookup_and_delete_elem(99, &key, &value), EBADF);

	// One map with two numbers; the lowest free one is given out next.
	other = dup(fd);
	CHECK(other > fd);
	CHECK_IS(bpf_map_update_elem(other, &key, &value, 0), 0);
	CHECK_IS(close(fd), 0);
	value = 0;
	CHECK_IS(bpf_map_lookup_elem(other, &key, &value), 0);
	CHECK_IS(value, 9);
	CHECK_IS(make(BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0), fd);
	CHECK_IS(close(fd), 0);
	CHECK_IS(close(other), 0);
	CHECK_IS(close(other), -1);
	CHECK_IS(errno, EBADF);
	// Neither read nor written: it is no file.
	fd = make(BPF_MAP_TYPE_ARRAY, 4, 4, 1, 0);
	CHECK_IS(read(fd, &value, sizeof(value)), -1);
	CHECK_IS(errno, EINVAL);
	CHECK_IS(write(fd, &value, sizeof(value)), -1);
	CHECK_IS(close(fd), 0);
}

int main(void)
{
	for (__u32 size = 1; size <= 33; size++) {
		sizes(BPF_MAP_TYPE_HASH, size, 4);
		sizes(BPF_MAP_TYPE_HASH, 4, size);
		sizes(BPF_MAP_TYPE_LRU_HASH, size, size);
		sizes(BPF_MAP_TYPE_ARRAY, 4, size);
	}
	hash();
	array();
	percpu();
	without_keys();
	maps_of_maps();
	of_objects();
	create();
	numbers();
	return 0;
}
