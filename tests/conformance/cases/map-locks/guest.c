// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Locks in values.
#include "conformance.h"

#include "case.skel.h"

static const __u32 key = 1;

// `struct locked`; the lock is in its bytes 4 to 8.
#define SIZE 16

static const __u8 *value_of(__u8 lock, __u8 rest)
{
	static __u8 value[SIZE];

	memset(value, rest, SIZE);
	memset(value + 4, lock, 4);
	return value;
}

static void has(const struct bpf_map *map, __u8 rest, __u64 flags)
{
	__u8 value[SIZE];

	OK(bpf_map__lookup_elem(map, &key, sizeof(key), value, SIZE, flags));
	CHECK_MEM(value, value_of(0, rest), SIZE);
}

static void put(const struct bpf_map *map, __u8 lock, __u8 rest, __u64 flags)
{
	OK(bpf_map__update_elem(map, &key, sizeof(key), value_of(lock, rest), SIZE, flags));
}

// Created under no lock, since there is none yet; replaced under it.
void case_whole(void)
{
	struct case_bpf *skel = SOME(case_bpf__open_and_load());
	const struct bpf_map *maps[] = { skel->maps.by_key, skel->maps.by_index };

	for (size_t i = 0; i < LENGTH(maps); i++) {
		put(maps[i], 0, 1, BPF_ANY);
		for (__u8 rest = 2; rest <= 3; rest++) {
			put(maps[i], 0, rest, BPF_F_LOCK | BPF_EXIST);
			has(maps[i], rest, BPF_F_LOCK);
		}
	}
	case_bpf__destroy(skel);
}

// A lock that somebody set from outside would never be let go.
void case_hidden(void)
{
	struct case_bpf *skel = SOME(case_bpf__open_and_load());
	const struct bpf_map *maps[] = { skel->maps.by_key, skel->maps.by_index };

	for (size_t i = 0; i < LENGTH(maps); i++) {
		__u32 keys[8], count = LENGTH(keys), position;
		__u8 values[LENGTH(keys)][SIZE];
		int found = 0;

		put(maps[i], 0xff, 1, BPF_ANY);
		has(maps[i], 1, BPF_ANY);
		put(maps[i], 0xff, 2, BPF_ANY);
		// It can be taken.
		has(maps[i], 2, BPF_F_LOCK);
		// It has no more than 4 entries: all at once, which is the end, too.
		CHECK_EQ(bpf_map_lookup_batch(bpf_map__fd(maps[i]), NULL, &position, keys, values, &count, NULL), -ENOENT);
		for (__u32 entry = 0; entry < count; entry++)
			found += keys[entry] == key && !memcmp(values[entry], value_of(0, 2), SIZE);
		CHECK_EQ(found, 1);
	}
	case_bpf__destroy(skel);
}

// Once.
void case_taken(void)
{
	struct case_bpf *skel = SOME(case_bpf__open_and_load());
	const struct bpf_map *map = skel->maps.by_key;
	__u8 value[SIZE];

	put(map, 0, 5, BPF_ANY);
	OK(bpf_map__lookup_and_delete_elem(map, &key, sizeof(key), value, SIZE, BPF_F_LOCK));
	CHECK_MEM(value, value_of(0, 5), SIZE);
	FAILS(bpf_map__lookup_and_delete_elem(map, &key, sizeof(key), value, SIZE, BPF_F_LOCK), "not-found");
	case_bpf__destroy(skel);
}
