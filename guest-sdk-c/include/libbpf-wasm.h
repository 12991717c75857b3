/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/*
 * For programs that were written for the C SDK of the first wasm-bpf: what its header of this name had beside libbpf's API, over
 * the library. New programs include <bpf/libbpf.h> and need nothing of this.
 */
#ifndef LIBBPF_WASM_H
#define LIBBPF_WASM_H

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <wasm-bpf/platform.h>

/* How long bpf_buffer__poll() waits if it is not told. */
#define POLL_TIMEOUT_MS 100

typedef int (*bpf_buffer_sample_fn)(void *context, void *data, size_t size);

WB_BEGIN

/* What a skeleton's attach() attaches a program to: a network interface by its name (xdp, socket filters), or a cgroup by its path. */
void wasm_bpf_set_attach_target(struct bpf_program *program, const char *target);

/* A ring buffer or a perf buffer, whichever the map is. */
struct bpf_buffer *wasm_bpf_buffer_open(struct bpf_map *events, bpf_buffer_sample_fn sample, void *context);
int wasm_bpf_buffer_poll(struct bpf_buffer *buffer, int timeout_ms);
void wasm_bpf_buffer_free(struct bpf_buffer *buffer);

WB_END

static inline void bpf_set_prog_attach_target(struct bpf_program *program, const char *target)
{
	wasm_bpf_set_attach_target(program, target);
}

static inline struct bpf_buffer *bpf_buffer__open(struct bpf_map *events, bpf_buffer_sample_fn sample, void *context)
{
	return wasm_bpf_buffer_open(events, sample, context);
}

/* How many records there were, 0 when the time was over, or a negative errno. Records of any size come whole. */
static inline int bpf_buffer__poll(struct bpf_buffer *buffer, int timeout_ms)
{
	return wasm_bpf_buffer_poll(buffer, timeout_ms > 0 ? timeout_ms : POLL_TIMEOUT_MS);
}

static inline void bpf_buffer__free(struct bpf_buffer *buffer)
{
	wasm_bpf_buffer_free(buffer);
}

static inline int libbpf_err_errno(int result)
{
	return result < 0 ? -errno : result;
}

#endif
