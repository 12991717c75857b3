// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "globals.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "errors.h"
#include "object.h"
#include "waits/stop.h"

struct globals {
	struct globals *next;
	const char *name;
	wasm_bpf_bpf_mapped_memory_own_mapping_t own;
	wasm_bpf_bpf_mapped_memory_borrow_mapping_t mapping;
	uint8_t *memory;
	// What the map had when it was last looked at: where the memory differs, the guest has written.
	uint8_t *shadow;
	size_t size;
	bool read_only;
};

static struct globals *all;
static unsigned int depth;

static void write_range(struct globals *globals, size_t from, size_t to)
{
	wasm_bpf_list_u8_t data = wb_bytes(globals->memory + from, to - from);
	wasm_bpf_bpf_mapped_memory_error_code_t error;

	if (!wasm_bpf_bpf_mapped_memory_method_mapping_write(globals->mapping, from, &data, &error)) {
		int saved = errno;

		wb_fail_code(&error);
		wb_warn("what was written to %s did not reach the map: error %d", globals->name, errno);
		errno = saved;
	}
	// The guest's writes go out once: after that the map may have other values.
	memcpy(globals->shadow + from, globals->memory + from, to - from);
}

static void write_changes(struct globals *globals)
{
	size_t from = 0;

	if (!memcmp(globals->memory, globals->shadow, globals->size))
		return;
	if (globals->read_only) {
		wb_warn("%s can be written only before load: what was written to it has no effect", globals->name);
		memcpy(globals->memory, globals->shadow, globals->size);
		return;
	}
	while (from < globals->size) {
		size_t to;

		if (globals->memory[from] == globals->shadow[from]) {
			from++;
			continue;
		}
		// Exactly what differs: beside it the programs may have written meanwhile.
		for (to = from + 1; to < globals->size && globals->memory[to] != globals->shadow[to]; to++)
			;
		write_range(globals, from, to);
		from = to;
	}
}

// What the host hands over in one call at most.
#define MAX_READ (16u << 20)

static int read_from(struct globals *globals)
{
	wasm_bpf_bpf_mapped_memory_error_code_t error;
	wasm_bpf_list_u8_t data;

	for (size_t from = 0; from < globals->size; from += data.len) {
		size_t rest = globals->size - from;

		if (!wasm_bpf_bpf_mapped_memory_method_mapping_read(globals->mapping, from, rest < MAX_READ ? rest : MAX_READ, &data, &error))
			return wb_fail_code(&error);
		memcpy(globals->memory + from, data.ptr, data.len);
		memcpy(globals->shadow + from, data.ptr, data.len);
		wasm_bpf_list_u8_free(&data);
	}
	return 0;
}

static void write_all(void)
{
	for (struct globals *globals = all; globals; globals = globals->next)
		write_changes(globals);
}

static void read_all(void)
{
	int saved = errno;

	for (struct globals *globals = all; globals; globals = globals->next) {
		if (!globals->read_only && read_from(globals) < 0)
			wb_warn("%s could not be read: error %d", globals->name, errno);
	}
	errno = saved;
}

void wb_enter(void)
{
	depth++;
	write_all();
}

void wb_leave(void)
{
	if (--depth)
		return;
	// A function of the program may have run meanwhile: what it wrote must not be lost.
	write_all();
	read_all();
	if (wb_retry)
		wb_retry();
	wb_stop_check();
}

unsigned int wb_callback_begin(void)
{
	unsigned int before = depth;

	depth = 0;
	write_all();
	read_all();
	return before;
}

void wb_callback_end(unsigned int before)
{
	depth = before;
	write_all();
}

int wb_globals_open(wasm_bpf_bpf_maps_borrow_map_t map, const char *name, void *memory, size_t size, bool read_only)
{
	struct globals *globals = calloc(1, sizeof(*globals));
	wasm_bpf_bpf_mapped_memory_error_t error;
	uint8_t *shadow = malloc(size);
	int err;

	if (!globals || !shadow) {
		free(globals);
		free(shadow);
		return wb_no_memory();
	}
	if (!wasm_bpf_bpf_mapped_memory_static_mapping_open(map, &globals->own, &error)) {
		free(globals);
		free(shadow);
		return wb_fail(&error, "map global data");
	}
	globals->mapping = wasm_bpf_bpf_mapped_memory_borrow_mapping(globals->own);
	globals->name = name;
	globals->memory = memory;
	globals->shadow = shadow;
	globals->size = size;
	globals->read_only = read_only;
	// What is in the map now: the host filled .kconfig in, and a map that was there before has its own values.
	err = read_from(globals);
	if (err) {
		wasm_bpf_bpf_mapped_memory_mapping_drop_own(globals->own);
		free(globals);
		free(shadow);
		return err;
	}
	globals->next = all;
	all = globals;
	return 0;
}

void wb_globals_close(const void *memory)
{
	for (struct globals **link = &all; *link; link = &(*link)->next) {
		struct globals *globals = *link;

		if (globals->memory != memory)
			continue;
		if (!globals->read_only)
			write_changes(globals);
		*link = globals->next;
		wasm_bpf_bpf_mapped_memory_mapping_drop_own(globals->own);
		free(globals->shadow);
		free(globals);
		return;
	}
}
