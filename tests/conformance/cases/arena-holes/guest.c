// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arenas in which pages that no program allocated stay absent. A copy of the memory, as mmap() gives, has no holes: these are the interface's
// functions.
#include "conformance.h"

#include "case.skel.h"

#define PAGE 4096
#define SIZE (16 * PAGE)

#define READ(offset, length) wasm_bpf_bpf_mapped_memory_method_mapping_read(memory, offset, length, &data, &error)
#define WRITE(offset, data) wasm_bpf_bpf_mapped_memory_method_mapping_write(memory, offset, data, &error)

// An answer, not the end of the host.
void case_holes(void)
{
	struct case_bpf *skel = SOME(case_bpf__open_and_load());
	static const __u8 ones[200] = { 1, 1, 1 };
	wasm_bpf_bpf_mapped_memory_own_mapping_t own;
	wasm_bpf_bpf_mapped_memory_borrow_mapping_t memory;
	wasm_bpf_bpf_mapped_memory_error_code_t error;
	wasm_bpf_bpf_mapped_memory_error_t open_error;
	wasm_bpf_list_u8_t data, some = bytes(ones, 64), many = bytes(ones, 200), hello = bytes("hello", 5);
	uint64_t large = 0, found = UINT64_MAX;
	uint32_t small;
	int pages = 0;

	OK(case_bpf__attach(skel));
	CHECK(wasm_bpf_bpf_mapped_memory_static_mapping_open(raw_map(bpf_map__fd(skel->maps.arena)), &own, &open_error));
	memory = wasm_bpf_bpf_mapped_memory_borrow_mapping(own);
	FAILS_CODE(READ(0, 1), error, "not-found");
	FAILS_CODE(READ(0, SIZE), error, "not-found");
	FAILS_CODE(WRITE(PAGE, &some), error, "not-found");
	for (uint64_t page = 0; page < SIZE; page += PAGE) {
		FAILS_CODE(wasm_bpf_bpf_mapped_memory_method_mapping_read_u64(memory, page, &large, &error), error, "not-found");
		FAILS_CODE(wasm_bpf_bpf_mapped_memory_method_mapping_write_u64(memory, page, 1, &error), error, "not-found");
		FAILS_CODE(wasm_bpf_bpf_mapped_memory_method_mapping_read_u32(memory, page, &small, &error), error, "not-found");
		FAILS_CODE(wasm_bpf_bpf_mapped_memory_method_mapping_write_u32(memory, page, 1, &error), error, "not-found");
	}
	// Now a program allocates a page.
	skel->bss->value = 99;
	call_target(1);
	CHECK_EQ(skel->bss->turns, 1);
	for (uint64_t page = 0; page < SIZE; page += PAGE) {
		if (!wasm_bpf_bpf_mapped_memory_method_mapping_read_u64(memory, page, &large, &error))
			continue;
		pages++;
		found = page;
		CHECK_EQ(large, 99);
	}
	CHECK_EQ(pages, 1);
	CHECK(WRITE(found + 8, &hello));
	CHECK(READ(found + 8, 5));
	CHECK_EQ(data.len, 5);
	CHECK_MEM(data.ptr, "hello", 5);
	wasm_bpf_list_u8_free(&data);
	// Into the hole behind it, if it is not the last.
	if (found + PAGE < SIZE) {
		FAILS_CODE(READ(found, PAGE + 1), error, "not-found");
		FAILS_CODE(WRITE(found + PAGE - 96, &many), error, "not-found");
	}
	wasm_bpf_bpf_mapped_memory_mapping_drop_own(own);
	case_bpf__destroy(skel);
}
