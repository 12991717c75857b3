/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* Ring buffers, perf buffers and user ring buffers. */
#ifndef BPF_LIBBPF_BUFFERS_H
#define BPF_LIBBPF_BUFFERS_H

#include <bpf/libbpf_common.h>

#ifdef __cplusplus
extern "C" {
#endif

struct perf_event_attr;
struct perf_event_header;

/* ---- Ring buffers: from BPF programs to the guest. */

struct ring_buffer;
struct ring;

/* Is given each record. A negative result ends the call that reads, which returns it; the records after it stay for the next. */
typedef int (*ring_buffer_sample_fn)(void *ctx, void *data, size_t size);

struct ring_buffer_opts {
	size_t sz;
};
#define ring_buffer_opts__last_field sz

LIBBPF_API struct ring_buffer *ring_buffer__new(int map_fd, ring_buffer_sample_fn sample_cb, void *ctx,
						const struct ring_buffer_opts *opts);
LIBBPF_API void ring_buffer__free(struct ring_buffer *rb);
/* Reads one more map through the same buffer. */
LIBBPF_API int ring_buffer__add(struct ring_buffer *rb, int map_fd, ring_buffer_sample_fn sample_cb, void *ctx);
/* Waits for records, at most so many milliseconds (-1: without limit), and hands them out. How many there were, or a negative errno: -EINTR when a signal's handler ran. */
LIBBPF_API int ring_buffer__poll(struct ring_buffer *rb, int timeout_ms);
/* Hands out what there is without waiting. */
LIBBPF_API int ring_buffer__consume(struct ring_buffer *rb);
/* At most n records. */
LIBBPF_API int ring_buffer__consume_n(struct ring_buffer *rb, size_t n);
/* A descriptor that poll(), select() and epoll take: ready when there are records. */
LIBBPF_API int ring_buffer__epoll_fd(const struct ring_buffer *rb);
/* The rings, in the order in which they were added; NULL with errno ERANGE behind the last. */
LIBBPF_API struct ring *ring_buffer__ring(struct ring_buffer *rb, unsigned int idx);
/* Bytes pending: of all rings of the buffer, since the host tells no more. */
LIBBPF_API size_t ring__avail_data_size(const struct ring *r);
/* Bytes that the ring has room for. */
LIBBPF_API size_t ring__size(const struct ring *r);
LIBBPF_API int ring__map_fd(const struct ring *r);
/* The records of this ring; those of others that come with them stay for the next call that reads. */
LIBBPF_API int ring__consume(struct ring *r);
LIBBPF_API int ring__consume_n(struct ring *r, size_t n);

/* ---- User ring buffers: from the guest to BPF programs. */

struct user_ring_buffer;

struct user_ring_buffer_opts {
	size_t sz;
};
#define user_ring_buffer_opts__last_field sz

LIBBPF_API struct user_ring_buffer *user_ring_buffer__new(int map_fd, const struct user_ring_buffer_opts *opts);
/* Memory for a record, which is written to the ring when it is submitted. NULL with errno E2BIG if it is larger than the ring, ENOSPC while a record that was
 * submitted has found no room. */
LIBBPF_API void *user_ring_buffer__reserve(struct user_ring_buffer *rb, __u32 size);
/* The same, but it waits for room, at most so many milliseconds (-1: without limit). */
LIBBPF_API void *user_ring_buffer__reserve_blocking(struct user_ring_buffer *rb, __u32 size, int timeout_ms);
LIBBPF_API void user_ring_buffer__submit(struct user_ring_buffer *rb, void *sample);
LIBBPF_API void user_ring_buffer__discard(struct user_ring_buffer *rb, void *sample);
LIBBPF_API void user_ring_buffer__free(struct user_ring_buffer *rb);

/* ---- Perf buffers: from BPF programs to the guest, one for each CPU. */

struct perf_buffer;

typedef void (*perf_buffer_sample_fn)(void *ctx, int cpu, void *data, __u32 size);
typedef void (*perf_buffer_lost_fn)(void *ctx, int cpu, __u64 cnt);

struct perf_buffer_opts {
	size_t sz;
	/* Has no effect: records wake the reader at once. */
	__u32 sample_period;
	size_t : 0;
};
#define perf_buffer_opts__last_field sample_period

/* Opens buffers of so many pages (a power of two) for each CPU. */
LIBBPF_API struct perf_buffer *perf_buffer__new(int map_fd, size_t page_cnt, perf_buffer_sample_fn sample_cb,
						perf_buffer_lost_fn lost_cb, void *ctx, const struct perf_buffer_opts *opts);
LIBBPF_API void perf_buffer__free(struct perf_buffer *pb);
LIBBPF_API int perf_buffer__epoll_fd(const struct perf_buffer *pb);
/* As ring_buffer__poll: the number of records and of messages about lost ones. */
LIBBPF_API int perf_buffer__poll(struct perf_buffer *pb, int timeout_ms);
/* Hands out what there is without waiting. 0, or a negative errno. */
LIBBPF_API int perf_buffer__consume(struct perf_buffer *pb);
/* How many CPUs have a buffer. */
LIBBPF_API size_t perf_buffer__buffer_cnt(const struct perf_buffer *pb);
/* The records of one CPU; those of others that come with them stay for the next call that reads. */
LIBBPF_API int perf_buffer__consume_buffer(struct perf_buffer *pb, size_t buf_idx);

#ifdef __cplusplus
}
#endif

#endif
