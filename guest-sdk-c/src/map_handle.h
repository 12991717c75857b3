// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The handle of a map with what each access asks about it, so that the host is asked once.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <linux/bpf.h>

#include "descriptors.h"

struct wb_map {
	wasm_bpf_bpf_maps_own_map_t own;
	wasm_bpf_bpf_maps_borrow_map_t handle;
	enum bpf_map_type type;
	uint32_t key_size, value_size, value_length, max_entries, flags, id;
	uint64_t extra;
	// As 8-byte numbers, one crossing without a list: only where keys and values are that.
	bool has_numbers;
	struct wb_walk *walks; // of batches that are not at their end; map_batch.c has them
	void (*end_walks)(struct wb_walk *walks);
};

struct wb_walk;

// The map of a descriptor; NULL, with errno EBADF and the error told, if it is none.
const struct wb_map *wb_map_at(int fd);

// Bytes of a value that these flags ask for: BPF_F_CPU and BPF_F_ALL_CPUS are about one value of a per-CPU map.
uint32_t wb_map_value_length(const struct wb_map *map, uint64_t flags);
