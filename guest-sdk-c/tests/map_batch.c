// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The four batch calls: counts in and out, -ENOENT at the end, tokens between calls, on hash maps, per-CPU maps, arrays and tries.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <unistd.h>

#include "check.h"

#define MANY 10000
#define ENOTSUPP 524 /* of the kernel alone */

static __u32 keys[MANY + 1], out_keys[MANY + 1];
static __u64 values[MANY + 1], out_values[MANY + 1];
static unsigned char seen[MANY];

static int new_map(enum bpf_map_type type, __u32 key_size, __u32 entries, __u32 flags)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags);
	int fd = bpf_map_create(type, "batch", key_size, 8, entries, &opts);

	CHECK(fd > 2);
	return fd;
}

static void fill(int fd, __u32 wanted)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts, .elem_flags = BPF_ANY);
	__u32 count = wanted;

	for (__u32 i = 0; i < wanted; i++) {
		keys[i] = i;
		values[i] = i * 3ULL + 1;
	}
	CHECK_IS(bpf_map_update_batch(fd, keys, values, &count, &opts), 0);
	CHECK_IS(count, wanted);
}

// Reads all in steps; returns how many entries came, each once and with its value.
static __u32 read_all(int fd, __u32 step, bool deletes)
{
	__u32 in = 0, out = 0, total = 0, count;
	bool first = true;
	int err;

	memset(seen, 0, sizeof(seen));
	do {
		count = step;
		err = deletes ? bpf_map_lookup_and_delete_batch(fd, first ? NULL : &in, &out, out_keys, out_values, &count, NULL)
			      : bpf_map_lookup_batch(fd, first ? NULL : &in, &out, out_keys, out_values, &count, NULL);
		CHECK(!err || (err == -ENOENT && errno == ENOENT));
		CHECK(count <= step);
		// The kernel returns fewer when the next bucket of a hash map does not fit, and -ENOSPC when it is the first.
		CHECK(err || ON_GUEST(count == step, count > 0));
		for (__u32 i = 0; i < count; i++) {
			CHECK(out_keys[i] < MANY && !seen[out_keys[i]]++);
			CHECK_IS(out_values[i], out_keys[i] * 3ULL + 1);
		}
		total += count;
		in = out;
		first = false;
	} while (!err);
	return total;
}

static void hash(void)
{
	LIBBPF_OPTS(bpf_map_batch_opts, opts, .elem_flags = BPF_NOEXIST);
	int fd = new_map(BPF_MAP_TYPE_HASH, 4, MANY, 0);
	__u32 in, out, other, count;
	__u64 value = 5;

	count = 10;
	CHECK_ERR(bpf_map_lookup_batch(fd, NULL, &out, out_keys, out_values, &count, NULL), ENOENT);
	CHECK_IS(count, 0);

	fill(fd, MANY);
	CHECK_IS(read_all(fd, ON_GUEST(7, 70), false), MANY);
	CHECK_IS(read_all(fd, 1000, false), MANY);
	CHECK_IS(read_all(fd, MANY, false), MANY);
	CHECK_IS(read_all(fd, MANY + 1, false), MANY);

	// Two walks at a time do not disturb each other.
	count = ON_GUEST(4, 100);
	CHECK_IS(bpf_map_lookup_batch(fd, NULL, &in, out_keys, out_values, &count, NULL), 0);
	CHECK_IS(bpf_map_lookup_batch(fd, NULL, &other, out_keys + 100, out_values, &count, NULL), 0);
	CHECK(!memcmp(out_keys, out_keys + 100, 16));
	CHECK_IS(bpf_map_lookup_batch(fd, &in, &out, out_keys, out_values, &count, NULL), 0);
	CHECK_IS(bpf_map_lookup_batch(fd, &other, &out, out_keys + 100, out_values, &count, NULL), 0);
	CHECK(!memcmp(out_keys, out_keys + 100, 16));

	// Left before their ends, over and over.
	for (int i = 0; i < 200; i++)
		CHECK_IS(bpf_map_lookup_batch(fd, NULL, &out, out_keys, out_values, &count, NULL), 0);
	if (ON_GUEST(true, false))
		CHECK_ERR(bpf_map_lookup_batch(fd, &in, &out, out_keys, out_values, &count, NULL), EINVAL);

	// What is there already ends a batch that is to create, and the count says where. The kernel's batches do not know this flag.
	keys[0] = MANY + 1;
	keys[1] = 3;
	count = 2;
	CHECK_IS(bpf_map_delete_elem(fd, &(__u32){ 9 }), 0);
	CHECK_ERR(bpf_map_update_batch(fd, keys, values, &count, &opts), ON_GUEST(EEXIST, EINVAL));
	if (ON_GUEST(true, false)) {
		CHECK_IS(count, 1);
		CHECK_IS(bpf_map_lookup_elem(fd, &keys[0], &value), 0);
		CHECK_IS(value, values[0]);
		CHECK_IS(bpf_map_delete_elem(fd, &keys[0]), 0);
	}

	// So does a key that is not there when keys are deleted.
	keys[0] = 1;
	keys[1] = 9;
	keys[2] = 2;
	count = 3;
	CHECK_ERR(bpf_map_delete_batch(fd, keys, &count, NULL), ENOENT);
	CHECK_IS(count, 1);
	CHECK_ERR(bpf_map_lookup_elem(fd, &keys[0], &value), ENOENT);
	CHECK_IS(bpf_map_lookup_elem(fd, &keys[2], &value), 0);

	CHECK_IS(read_all(fd, 777, true), MANY - 2);
	CHECK_IS(read_all(fd, 777, true), 0);

	count = 0;
	CHECK_IS(bpf_map_lookup_batch(fd, NULL, &out, out_keys, out_values, &count, NULL), 0);
	opts.elem_flags = 64;
	count = 1;
	CHECK_ERR(bpf_map_update_batch(fd, keys, values, &count, &opts), EINVAL);
	opts.elem_flags = 0;
	opts.flags = 1;
	CHECK_ERR(bpf_map_lookup_batch(fd, NULL, &out, out_keys, out_values, &count, &opts), EINVAL);
	CHECK_ERR(bpf_map_lookup_batch(99, NULL, &out, out_keys, out_values, &count, NULL), EBADF);
	CHECK_IS(close(fd), 0);
	CHECK_ERR(bpf_map_lookup_batch(fd, &in, &out, out_keys, out_values, &count, NULL), EBADF);
}

static void array(void)
{
	int fd = new_map(BPF_MAP_TYPE_ARRAY, 4, 100, 0);
	__u32 in = 0, out, count = 30;

	fill(fd, 100);
	CHECK_IS(bpf_map_lookup_batch(fd, NULL, &out, out_keys, out_values, &count, NULL), 0);
	CHECK_IS(count, 30);
	CHECK_IS(out, 29);
	in = out;
	count = 80;
	CHECK_ERR(bpf_map_lookup_batch(fd, &in, &out, out_keys, out_values, &count, NULL), ENOENT);
	CHECK_IS(count, 70);
	CHECK_IS(out_keys[0], 30);
	CHECK_IS(out_values[69], 99 * 3 + 1);
	CHECK_IS(read_all(fd, 100, false), 100);
	count = 10;
	CHECK_ERR(bpf_map_lookup_and_delete_batch(fd, NULL, &out, out_keys, out_values, &count, NULL), ENOTSUPP);
	CHECK_ERR(bpf_map_delete_batch(fd, keys, &count, NULL), ENOTSUPP);
	CHECK_IS(close(fd), 0);
}

static void percpu(void)
{
	int fd = new_map(BPF_MAP_TYPE_PERCPU_HASH, 4, 10, 0), cpus = libbpf_num_possible_cpus();
	__u32 out, count = 2;
	__u64 *many;

	CHECK(cpus > 0);
	many = calloc(2 * cpus, 8);
	CHECK(many);
	for (int i = 0; i < 2 * cpus; i++)
		many[i] = i + 100;
	keys[0] = 1;
	keys[1] = 2;
	CHECK_IS(bpf_map_update_batch(fd, keys, many, &count, NULL), 0);
	memset(many, 0, 2 * cpus * 8);
	count = 2;
	CHECK_ERR(bpf_map_lookup_batch(fd, NULL, &out, out_keys, many, &count, NULL), ENOENT);
	CHECK_IS(count, 2);
	for (int i = 0; i < 2; i++) {
		for (int cpu = 0; cpu < cpus; cpu++)
			CHECK_IS(many[i * cpus + cpu], 100 + (out_keys[i] - 1) * cpus + cpu);
	}
	free(many);
	CHECK_IS(close(fd), 0);
}

static void trie(void)
{
	struct { __u32 bits; __u8 address[4]; } prefix = { 16, { 10, 1 } }, found[4], out;
	int fd = new_map(BPF_MAP_TYPE_LPM_TRIE, 8, 10, BPF_F_NO_PREALLOC);
	__u32 count = 4;
	__u64 value = 7;

	CHECK_IS(bpf_map_update_elem(fd, &prefix, &value, 0), 0);
	prefix.address[1] = 2;
	CHECK_IS(bpf_map_update_elem(fd, &prefix, &value, 0), 0);
	CHECK_ERR(bpf_map_lookup_batch(fd, NULL, &out, found, out_values, &count, NULL), ENOENT);
	CHECK_IS(count, 2);
	CHECK_IS(found[0].bits, 16);
	CHECK_IS(out_values[1], 7);
	count = 2;
	CHECK_IS(bpf_map_delete_batch(fd, found, &count, NULL), 0);
	CHECK_IS(count, 2);
	CHECK_IS(close(fd), 0);
}

int main(void)
{
	hash();
	array();
	percpu();
	trie();
	return 0;
}
