// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// "File descriptors" of BPF objects: numbers of a table inside the guest. Behind each is a handle of the interface, nothing of the host's.
//
// They begin far above those of wasi-libc, so that close(), read(), dup(), poll() and ioctl() can tell whose a number is.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "wasm_bpf.h"

#define WB_FIRST_DESCRIPTOR 0x10000

enum wb_kind {
	WB_FREE,
	WB_MAP,
	WB_PROGRAM,
	WB_LINK,
	WB_ITERATION, // of bpf_iter_create: read() gives its text
	WB_BTF,
	WB_PERF_EVENT,
	WB_SOCKET,
	WB_BUFFER, // what ring_buffer__epoll_fd and its kin give: can be polled
	WB_EPOLL,
	WB_PROCESS, // of pidfd_open
	WB_TIMER, // of timerfd_create
	WB_SIGNALS, // of signalfd
	WB_STATISTICS, // of bpf_enable_stats: counted as long as it is open
};

struct wb_waits;

// What every kind of descriptor is able to do. A kind's own file has the one instance for it; NULL: not possible (EINVAL or EBADF).
struct wb_operations {
	enum wb_kind kind;
	// The last number of it was closed: give the handle back.
	void (*release)(void *it);
	long (*read)(void *it, void *buffer, unsigned long length);
	long (*write)(void *it, const void *buffer, unsigned long length);
	int (*ioctl)(void *it, unsigned long request, void *argument);
	// A pollable that is ready when a read would not wait; the caller drops it. Its number is 0, and errno tells why, if there can be none.
	wasi_io_poll_own_pollable_t (*subscribe)(void *it);
	// Instead of that, for what has one that lasts: nobody drops it.
	wasi_io_poll_borrow_pollable_t (*pollable)(void *it);
	// Likewise for a write, as the first.
	wasi_io_poll_own_pollable_t (*subscribe_write)(void *it);
	// Whether a read would not wait for what the guest has itself.
	bool (*is_ready)(const void *it);
	// Instead of these, for what is ready when other descriptors are (waits/ready.h).
	int (*watch)(void *it, struct wb_waits *waits, bool *in);
	// Where it is kept that reads and writes are not to wait (O_NONBLOCK), for what waits otherwise.
	bool *(*nonblocking)(void *it);
	// Puts it into a map whose values are such things. Here, and not in the code of maps, so that a program carries only what it has
	// descriptors of.
	int (*store_in)(void *it, wasm_bpf_bpf_maps_borrow_map_t map, wasm_bpf_list_u8_t *key, wasm_bpf_bpf_maps_update_mode_t mode);
	// Its value in a local storage: looked up when there is a result, deleted when there is no value.
	int (*in_storage)(void *it, wasm_bpf_bpf_maps_borrow_map_t map, wasm_bpf_option_list_u8_t *found, wasm_bpf_list_u8_t *value,
			  wasm_bpf_bpf_maps_update_mode_t mode);
};

// A new number for it, at least WB_FIRST_DESCRIPTOR; -ENOMEM if there is no memory.
int wb_descriptor_new(const struct wb_operations *operations, void *it);

// What is behind a number: NULL, with errno EBADF, if there is nothing or something of another kind.
void *wb_descriptor_get(int fd, enum wb_kind kind);

// The same where POSIX tells the two apart: errno is EINVAL if it is something else, also of wasi-libc.
void *wb_descriptor_as(int fd, const struct wb_operations *operations);

// What is behind it whatever its kind is; NULL, without an error, for numbers of wasi-libc.
void *wb_descriptor_any(int fd, const struct wb_operations **operations);

// Tells what is behind a number from what was behind the same number before: never the same twice. 0 for numbers of wasi-libc.
uint64_t wb_descriptor_serial(int fd);

// One more number for the same thing, as dup() gives: both have to be closed.
int wb_descriptor_duplicate(int fd);

// Closes a number: 0, or -EBADF.
int wb_descriptor_close(int fd);

static inline bool wb_is_ours(int fd)
{
	return fd >= WB_FIRST_DESCRIPTOR;
}

// The id of the process that a pidfd stands for; 0, with errno EBADF, if it is none.
static inline uint32_t wb_process_of(int fd)
{
	return (uintptr_t)wb_descriptor_get(fd, WB_PROCESS);
}

// The kinds' own: a number for a handle, which the table owns from then on (also when this fails), and the borrowed handle of a number:
// false, with errno EBADF, if it has none.
#define WB_HANDLE_DESCRIPTOR(NAME, INTERFACE, RESOURCE) \
	int wb_##NAME##_descriptor(wasm_bpf_bpf_##INTERFACE##_own_##RESOURCE##_t handle); \
	bool wb_##NAME##_of(int fd, wasm_bpf_bpf_##INTERFACE##_borrow_##RESOURCE##_t *handle)

WB_HANDLE_DESCRIPTOR(program, programs, program);
WB_HANDLE_DESCRIPTOR(link, links, link);
WB_HANDLE_DESCRIPTOR(map, maps, map);
bool wb_perf_event_of(int fd, wasm_bpf_bpf_perf_events_borrow_perf_event_t *handle);
