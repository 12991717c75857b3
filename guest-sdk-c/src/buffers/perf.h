// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Perf buffers, with either of the two kinds of callbacks.
#pragma once

#include <bpf/libbpf.h>

#include "buffers/records.h"

struct perf_buffer {
	wasm_bpf_bpf_buffers_own_perf_buffer_t own;
	// Hands out a record or a loss. LIBBPF_PERF_EVENT_CONT, _DONE when that is enough of its CPU for now, or a negative error.
	int (*tell)(struct perf_buffer *pb, const struct wb_record *record);
	perf_buffer_sample_fn callback;
	perf_buffer_lost_fn lost;
	perf_buffer_event_fn raw_callback;
	void *context;
	// Memory for an event as the kernel lays it out.
	void *event;
	size_t event_room;
	struct wb_records records;
	int epoll_fd;
	// The CPUs that have a buffer, in their order.
	uint32_t *cpus;
	size_t cpu_count;
	// What happened to each CPU, by its number, in the current call.
	uint8_t *states;
	size_t state_count;
	// Bytes of all buffers together.
	uint64_t capacity;
};

// A perf buffer with what the model has set of the first fields. NULL with errno if it cannot be.
struct perf_buffer *wb_perf_buffer_new(int map_fd, size_t pages, struct perf_buffer model);
