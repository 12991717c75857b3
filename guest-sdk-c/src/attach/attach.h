// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the ways of attaching share: those of an object's program, which make a struct bpf_link, and those of a descriptor, which make one
// more.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "../errors.h"
#include "../globals.h"
#include "../object.h"
#include "../options.h"
#include "wasm_bpf.h"

// A program on its way to being attached.
struct wb_attaching {
	wasm_bpf_bpf_programs_borrow_program_t program;
	const char *name; // for messages; the number of its descriptor if it has no other
	char number[16];
	enum bpf_attach_type type;          // where it is to be attached, for the kinds that have a choice
	wasm_bpf_bpf_links_own_link_t link; // what came of it
};

// Begins with a program of an object, or a descriptor; false with errno set when it is not loaded, or there is none.
bool wb_attaching(struct wb_attaching *it, const struct bpf_program *program);
bool wb_attaching_fd(struct wb_attaching *it, int fd, enum bpf_attach_type type);

// What a function of the interface answered: 0, or the negative errno after the warning.
int wb_attached(struct wb_attaching *it, bool ok, wasm_bpf_bpf_types_error_t *error);

// Ends with a link, or NULL with errno set when the result is negative; with a descriptor, or the negative errno.
struct bpf_link *wb_attach_link(struct wb_attaching *it, int result);
int wb_attach_descriptor(struct wb_attaching *it, int result);

// The ways that bpf_link_create has too. Each returns 0 or a negative errno.
int wb_attach_perf_event(struct wb_attaching *it, int event_fd, uint64_t cookie);
int wb_attach_kprobe_multi(struct wb_attaching *it, const char *pattern, const struct bpf_kprobe_multi_opts *options);
int wb_attach_uprobe_multi(struct wb_attaching *it, pid_t process, const char *path, const char *pattern,
			   const struct bpf_uprobe_multi_opts *options);
int wb_attach_trace(struct wb_attaching *it, uint64_t cookie);
int wb_attach_lsm(struct wb_attaching *it);
int wb_attach_freplace(struct wb_attaching *it, int target_fd, const char *function);
int wb_attach_iterator(struct wb_attaching *it, const union bpf_iter_link_info *info, uint32_t length);
int wb_attach_netfilter(struct wb_attaching *it, uint32_t family, uint32_t hook, int32_t priority, uint32_t flags);
int wb_attach_xdp(struct wb_attaching *it, int ifindex, uint32_t flags);
int wb_attach_netns(struct wb_attaching *it, int netns_fd);
int wb_attach_sockmap(struct wb_attaching *it, int map_fd);

// A place among the programs of a hook. Here flags are BPF_F_BEFORE and its kin alone.
struct wb_place {
	uint32_t flags, relative_fd, relative_id;
	uint64_t expected_revision;
};
int wb_attach_tcx(struct wb_attaching *it, int ifindex, const struct wb_place *place);
int wb_attach_netkit(struct wb_attaching *it, int ifindex, const struct wb_place *place);
int wb_attach_cgroup(struct wb_attaching *it, int cgroup_fd, const struct wb_place *place);

// The placement that a place asks for: 1 with one, which the caller drops, 0 when it asks for nothing, or a negative errno.
int wb_placement(const struct wb_attaching *it, const struct wb_place *place, wasm_bpf_bpf_programs_own_placement_t *placement);

// The name of a network interface, which the caller frees; -ENODEV if there is none with this index.
int wb_interface_name(int ifindex, wasm_bpf_string_t *name);

// Opens a binary for probes, which the caller drops: a path without '/' is looked for where libbpf does.
int wb_open_binary(const char *path, wasi_filesystem_types_own_descriptor_t *binary);

// Options for probes, which the caller drops, with the process set: -1 is every one.
int wb_probe_options(const struct wb_attaching *it, pid_t process, wasm_bpf_bpf_programs_own_probe_options_t *options);

// Whether a probe may be attached in this mode: it has to be known before, and looked at after attaching.
int wb_probe_mode(const struct wb_attaching *it, enum probe_attach_mode mode);
int wb_probe_mode_attached(struct wb_attaching *it, enum probe_attach_mode mode, int result);

// 64-bit copies of numbers of this machine, in memory of their own; NULL if there is none. The list is empty for NULL.
bool wb_offsets(const unsigned long *numbers, size_t count, wasm_bpf_list_u64_t *list);
