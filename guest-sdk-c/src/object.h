// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the handles of libbpf's API are made of.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/libbpf.h>

#include "wasm_bpf.h"

struct btf;

struct bpf_map {
	struct bpf_object *object; // never NULL
	char *name;                // as libbpf has it: "bootstra.rodata"
	char *declared;            // as the interface has it: ".rodata"
	int fd;                    // of descriptors.h; -1 before load
	enum bpf_map_type type;
	uint32_t key_size, value_size, max_entries, flags, numa_node;
	uint64_t extra;
	bool autocreate, autoattach, global_data, reused, pinned;
	char *pin_path;
	void *initial_value;       // guest memory of global data, which is its live copy after load; NULL: not global data
	size_t initial_size;
	const void *declared_operations; // of a struct_ops map whose initial value was asked for: what it is in the object
	struct bpf_map *inner;     // what the maps inside look like, NULL if it is not declared
	struct bpf_map *outer;     // of such a one: whose it is, and
	bool changed;              // whether it is still what the host knows
};

struct bpf_program {
	struct bpf_object *object;
	char *name, *section;
	int fd;                    // -1 before load, or when it was not loaded
	enum bpf_prog_type type;
	enum bpf_attach_type attach_type;
	uint32_t flags, instructions, ifindex;
	bool autoload, autoattach;
	char *log;                 // the caller's buffer, of bpf_program__set_log_buf
	size_t log_size;
	uint32_t log_level;
	int target_fd;             // of bpf_program__set_attach_target; 0: the kernel
	char *attach_target;       // of bpf_set_prog_attach_target, and
	struct bpf_link *(*attach_otherwise)(const struct bpf_program *program); // what attaches it there, and not where its section says
};

struct bpf_object {
	char *name;
	void *private_data;
	bool loaded;               // also when that failed
	const void *elf;           // a copy: BTF, version and license are read from it when someone asks
	size_t elf_size;
	uint32_t kernel_version;   // of bpf_object__set_kversion
	bool has_kernel_version;
	char *log;                 // the caller's buffer, for programs that have none of their own
	size_t log_size;
	struct bpf_map *maps;
	size_t map_count;
	struct bpf_program *programs;
	size_t program_count;
	struct btf *btf;           // made on first use, and
	void (*free_btf)(struct btf *btf); // by whom, so that programs without a need of BTF do not carry it
	int (*before_load)(struct bpf_object *object); // hands over what was changed of inner maps; of those who asked for one
	wasm_bpf_bpf_objects_own_open_object_t open; // until load
	wasm_bpf_bpf_objects_own_object_t object_handle; // from load on
};

struct bpf_link {
	int fd;                    // of descriptors.h; -1 for what the host holds without a descriptor's worth of operations
	char *pin_path;
	bool disconnected;
	int event_fd;              // the perf event that it was given and closes with itself; -1: none
};

// A link for a handle, which it owns; NULL with errno when there is no memory (the handle is dropped then).
struct bpf_link *wb_link_new(wasm_bpf_bpf_links_own_link_t link);

// Attaches where a program's section says: 0, with no link when it says nothing to attach to, or a negative errno.
int wb_attach_by_section(const struct bpf_program *program, struct bpf_link **link);

// The handle of a loaded program or map; false with errno EINVAL and a warning naming it when it is not loaded.
bool wb_loaded_program(const struct bpf_program *program, wasm_bpf_bpf_programs_borrow_program_t *handle);
bool wb_loaded_map(const struct bpf_map *map, wasm_bpf_bpf_maps_borrow_map_t *handle);

// Takes from the host how the map is declared now: setters change more than what they set.
void wb_map_refresh(struct bpf_map *map);

// For what is possible only before load. 0, or -EBUSY with a warning.
int wb_open_map(const struct bpf_map *map, const char *doing, wasm_bpf_bpf_objects_borrow_open_object_t *open);

// Strings and lists for the generated bindings; nothing is copied.
static inline wasm_bpf_string_t wb_string(const char *text)
{
	return (wasm_bpf_string_t){ (uint8_t *)text, text ? __builtin_strlen(text) : 0 };
}

static inline wasm_bpf_list_u8_t wb_bytes(const void *data, size_t length)
{
	return (wasm_bpf_list_u8_t){ (uint8_t *)data, length };
}

// A copy with a final NUL; frees the original. NULL if there is no memory.
char *wb_take_string(wasm_bpf_string_t *text);
