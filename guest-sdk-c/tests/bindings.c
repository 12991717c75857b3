// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The generated bindings alone, without the library over them: what docs/c-bindings.md shows.
#include <stdio.h>
#include <string.h>

#include <linux/types.h>

#include "check.h"
#include "events.h"
#include "events.skel.h"
#include "wasm_bpf.h"

// Text for the bindings: nothing is copied.
static wasm_bpf_string_t text(const char *characters)
{
	return (wasm_bpf_string_t){ (uint8_t *)characters, strlen(characters) };
}

// What a call failed with, in words.
static int failed(wasm_bpf_bpf_types_error_t *error)
{
	fprintf(stderr, "%.*s\n", (int)error->message.len, (const char *)error->message.ptr);
	wasm_bpf_bpf_types_error_free(error);
	return 1;
}

int main(void)
{
	wasm_bpf_bpf_objects_own_open_options_t options = wasm_bpf_bpf_objects_constructor_open_options();
	wasm_bpf_string_t program_name = text("to_ring"), ring_name = text("ring"), other = text("no_such_program");
	wasm_bpf_bpf_objects_error_code_t code;
	wasm_bpf_bpf_objects_own_open_object_t open;
	wasm_bpf_bpf_objects_own_program_t program;
	wasm_bpf_bpf_programs_option_own_link_t link;
	wasm_bpf_bpf_buffers_own_ring_buffer_t buffer;
	wasm_bpf_bpf_objects_own_object_t object;
	wasm_bpf_bpf_objects_own_map_t ring;
	wasm_bpf_bpf_buffers_records_t records;
	wasm_bpf_bpf_types_error_t error;
	unsigned int count = 0;
	wasm_bpf_list_u8_t elf;

	elf.ptr = (uint8_t *)events_bpf__elf_bytes(&elf.len);

	// Open: the object is described, and may be changed. What does not exist is an error with words.
	if (!wasm_bpf_bpf_objects_static_open_object_open(&elf, wasm_bpf_bpf_objects_borrow_open_options(options), &open, &error))
		return failed(&error);
	wasm_bpf_bpf_objects_open_options_drop_own(options);
	CHECK(!wasm_bpf_bpf_objects_method_open_object_set_autoload(wasm_bpf_bpf_objects_borrow_open_object(open), &other, false, &error));
	CHECK_IS(error.code.tag, WASM_BPF_BPF_TYPES_ERROR_CODE_NOT_FOUND);
	wasm_bpf_bpf_types_error_free(&error);

	// Load: takes the open object.
	if (!wasm_bpf_bpf_objects_static_open_object_load(open, &object, &error))
		return failed(&error);

	// Attach, as the program's section says.
	CHECK(wasm_bpf_bpf_objects_method_object_program(wasm_bpf_bpf_objects_borrow_object(object), &program_name, &program, &code));
	if (!wasm_bpf_bpf_programs_method_program_attach(wasm_bpf_bpf_programs_borrow_program(program), &link, &error))
		return failed(&error);
	CHECK(link.is_some);

	// Read: many records with each call.
	CHECK(wasm_bpf_bpf_objects_method_object_map(wasm_bpf_bpf_objects_borrow_object(object), &ring_name, &ring, &code));
	wasm_bpf_bpf_buffers_ring_t rings[] = { { .map = wasm_bpf_bpf_maps_borrow_map(ring) } };
	wasm_bpf_bpf_buffers_list_ring_t list = { rings, 1 };
	uint64_t second = 1000000000;

	if (!wasm_bpf_bpf_buffers_static_ring_buffer_open(&list, &buffer, &error))
		return failed(&error);
	CHECK(wasm_bpf_bpf_buffers_method_ring_buffer_poll(wasm_bpf_bpf_buffers_borrow_ring_buffer(buffer), &second, 65536, &records, &code));
	for (size_t at = 0; at < records.packed.len;) {
		struct event event;
		uint32_t length;

		// A header of 8 bytes: the length in 30 bits, the source. Then the data, up to a multiple of 8.
		memcpy(&length, records.packed.ptr + at, sizeof(length));
		length &= 0x3fffffff;
		CHECK(length >= sizeof(event));
		memcpy(&event, records.packed.ptr + at + 8, sizeof(event));
		CHECK_IS(event.number, count);
		count++;
		at += 8 + ((length + 7) & ~7u);
	}
	CHECK(count > 0);
	wasm_bpf_list_u8_free(&records.packed);

	// Dropping is releasing, in any order; the program is detached with its link.
	wasm_bpf_bpf_objects_object_drop_own(object);
	wasm_bpf_bpf_maps_map_drop_own(ring);
	wasm_bpf_bpf_programs_program_drop_own(program);
	wasm_bpf_bpf_buffers_ring_buffer_drop_own(buffer);
	wasm_bpf_bpf_links_link_drop_own(link.val);
	return 0;
}
