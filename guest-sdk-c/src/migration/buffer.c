// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// bpf_buffer__* of the first wasm-bpf.
#include <errno.h>
#include <stdlib.h>

#include <libbpf-wasm.h>

#include "errors.h"

#define PERF_PAGES 64

struct bpf_buffer {
	struct ring_buffer *ring;
	struct perf_buffer *perf;
	bpf_buffer_sample_fn sample;
	void *context;
};

static void from_perf(void *context, int cpu, void *data, __u32 size)
{
	struct bpf_buffer *buffer = context;

	(void)cpu;
	buffer->sample(buffer->context, data, size);
}

static void tell_lost(void *context, int cpu, __u64 count)
{
	(void)context;
	wb_warn("%llu records were lost on CPU %d", (unsigned long long)count, cpu);
}

struct bpf_buffer *wasm_bpf_buffer_open(struct bpf_map *events, bpf_buffer_sample_fn sample, void *context)
{
	struct bpf_buffer *buffer;
	int saved;

	if (!events || !sample)
		return wb_null(-EINVAL);
	buffer = calloc(1, sizeof(*buffer));
	if (!buffer)
		return wb_null(-ENOMEM);
	buffer->sample = sample;
	buffer->context = context;
	if (bpf_map__type(events) == BPF_MAP_TYPE_PERF_EVENT_ARRAY)
		buffer->perf = perf_buffer__new(bpf_map__fd(events), PERF_PAGES, from_perf, tell_lost, buffer, NULL);
	else
		buffer->ring = ring_buffer__new(bpf_map__fd(events), sample, context, NULL);
	if (buffer->ring || buffer->perf)
		return buffer;
	saved = errno;
	free(buffer);
	return wb_null(-saved);
}

int wasm_bpf_buffer_poll(struct bpf_buffer *buffer, int timeout_ms)
{
	return buffer->perf ? perf_buffer__poll(buffer->perf, timeout_ms) : ring_buffer__poll(buffer->ring, timeout_ms);
}

void wasm_bpf_buffer_free(struct bpf_buffer *buffer)
{
	if (!buffer)
		return;
	perf_buffer__free(buffer->perf);
	ring_buffer__free(buffer->ring);
	free(buffer);
}
