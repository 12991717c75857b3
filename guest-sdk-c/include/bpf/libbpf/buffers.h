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

/* Opens a map of type BPF_MAP_TYPE_RINGBUF, whose records are given to a function. No options are known. */
LIBBPF_API struct ring_buffer *ring_buffer__new(int map_fd, ring_buffer_sample_fn sample_cb, void *ctx,
						const struct ring_buffer_opts *opts);

/* Frees it with all of its rings. NULL is allowed. */
LIBBPF_API void ring_buffer__free(struct ring_buffer *rb);

/* Reads one more map through the same buffer. */
LIBBPF_API int ring_buffer__add(struct ring_buffer *rb, int map_fd, ring_buffer_sample_fn sample_cb, void *ctx);
/* Waits for records, at most so many milliseconds (-1: without limit), and hands them out. How many there were, or a negative errno: -EINTR
 * when a signal's handler ran. */
LIBBPF_API int ring_buffer__poll(struct ring_buffer *rb, int timeout_ms);
/* Hands out what there is without waiting. */
LIBBPF_API int ring_buffer__consume(struct ring_buffer *rb);
/* At most n records. */
LIBBPF_API int ring_buffer__consume_n(struct ring_buffer *rb, size_t n);
/* A descriptor that poll(), select() and epoll take: ready when there are records. */
LIBBPF_API int ring_buffer__epoll_fd(const struct ring_buffer *rb);
/* The rings, in the order in which they were added; NULL with errno ERANGE behind the last. */
LIBBPF_API struct ring *ring_buffer__ring(struct ring_buffer *rb, unsigned int idx);
/* Bytes of records that wait in this ring, headers included; with those that came with records of other rings and were not handed out. */
LIBBPF_API size_t ring__avail_data_size(const struct ring *r);
/* Bytes that the ring has room for. */
LIBBPF_API size_t ring__size(const struct ring *r);
/* The descriptor of the ring's map. */
LIBBPF_API int ring__map_fd(const struct ring *r);
/* Hands out what there is of this ring, without waiting. */
LIBBPF_API int ring__consume(struct ring *r);
/* At most n records of this ring. */
LIBBPF_API int ring__consume_n(struct ring *r, size_t n);

/* ---- User ring buffers: from the guest to BPF programs. */

struct user_ring_buffer;

struct user_ring_buffer_opts {
	size_t sz;
};
#define user_ring_buffer_opts__last_field sz

/* Opens a map of type BPF_MAP_TYPE_USER_RINGBUF, to write records that BPF programs read. No options are known. */
LIBBPF_API struct user_ring_buffer *user_ring_buffer__new(int map_fd, const struct user_ring_buffer_opts *opts);
/* Memory for a record, which is written to the ring when it is submitted, and those reserved before it were. NULL with errno E2BIG if it is
 * larger than the ring, ENOSPC if there is no room. A ring of records of several sizes may take one more than it has room for: that one is
 * written as soon as there is. */
LIBBPF_API void *user_ring_buffer__reserve(struct user_ring_buffer *rb, __u32 size);
/* The same, but it waits for room, at most so many milliseconds (-1: without limit). */
LIBBPF_API void *user_ring_buffer__reserve_blocking(struct user_ring_buffer *rb, __u32 size, int timeout_ms);
/* Writes a record, which BPF programs then may read. */
LIBBPF_API void user_ring_buffer__submit(struct user_ring_buffer *rb, void *sample);
/* Gives a record up: nothing is written. */
LIBBPF_API void user_ring_buffer__discard(struct user_ring_buffer *rb, void *sample);
/* Frees the buffer; the map stays. NULL is allowed. */
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

/* What a callback of events returns: enough of this CPU for now, a failure, and go on. */
enum bpf_perf_event_ret {
	LIBBPF_PERF_EVENT_DONE = 0,
	LIBBPF_PERF_EVENT_ERROR = -1,
	LIBBPF_PERF_EVENT_CONT = -2,
};

/* Is given the event as it was in the kernel's buffer: PERF_RECORD_SAMPLE with its raw data, or PERF_RECORD_LOST. */
typedef enum bpf_perf_event_ret (*perf_buffer_event_fn)(void *ctx, int cpu, struct perf_event_header *event);

struct perf_buffer_raw_opts {
	size_t sz;
	long : 0;
	long : 0;
	/* Not for guests: 0. The host opens buffers for all CPUs that are online. */
	int cpu_cnt;
	int *cpus;
	int *map_keys;
};
#define perf_buffer_raw_opts__last_field map_keys

/* As perf_buffer__new, with events. The attributes have to be those of bpf_perf_event_output: PERF_TYPE_SOFTWARE, PERF_COUNT_SW_BPF_OUTPUT
 * and PERF_SAMPLE_RAW alone; EOPNOTSUPP if not. */
LIBBPF_API struct perf_buffer *perf_buffer__new_raw(int map_fd, size_t page_cnt, struct perf_event_attr *attr,
						    perf_buffer_event_fn event_cb, void *ctx,
						    const struct perf_buffer_raw_opts *opts);
/* Frees the buffer with those of all CPUs; the map stays. NULL is allowed. */
LIBBPF_API void perf_buffer__free(struct perf_buffer *pb);
/* A descriptor that poll(), select() and epoll take: ready when there are records. */
LIBBPF_API int perf_buffer__epoll_fd(const struct perf_buffer *pb);
/* As ring_buffer__poll. How many CPUs had something, 0 when the time is over. */
LIBBPF_API int perf_buffer__poll(struct perf_buffer *pb, int timeout_ms);
/* Hands out what there is without waiting. 0, or what a callback of events failed with. */
LIBBPF_API int perf_buffer__consume(struct perf_buffer *pb);
/* How many CPUs have a buffer. */
LIBBPF_API size_t perf_buffer__buffer_cnt(const struct perf_buffer *pb);
/* Hands out what there is of one CPU, without waiting. What comes with it of others is kept for those who ask for it; -ENOBUFS when that is
 * more than the buffers hold. 0, or a negative errno. */
LIBBPF_API int perf_buffer__consume_buffer(struct perf_buffer *pb, size_t buf_idx);

#ifdef __cplusplus
}
#endif

#endif
