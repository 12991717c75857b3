// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The allocator: memory is the caller's alone and keeps what is in it, is aligned, and is used again when it was given back.
#include <errno.h>
#include <malloc.h>
#include <stdint.h>

#include "check.h"

#define SLOTS 500

static struct {
	unsigned char *memory;
	size_t size;
	unsigned char mark;
} slots[SLOTS];

static uint32_t random_number(void)
{
	static uint32_t state = 12345;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static size_t random_size(void)
{
	uint32_t number = random_number();

	switch (number % 16) {
	case 0:
		return number >> 8 & 0x3ffff;
	case 1:
	case 2:
		return number >> 8 & 0x1fff;
	default:
		return number >> 8 & 0xff;
	}
}

static void check_slot(int i)
{
	for (size_t at = 0; at < slots[i].size; at++) {
		if (slots[i].memory[at] != slots[i].mark)
			FAIL_CHECK("byte %zu of %zu is %u, not %u", at, slots[i].size, slots[i].memory[at], slots[i].mark);
	}
}

static void fill_slot(int i, size_t size)
{
	CHECK(slots[i].memory);
	CHECK_IS((uintptr_t)slots[i].memory % 16, 0);
	CHECK(malloc_usable_size(slots[i].memory) >= size);
	slots[i].size = size;
	slots[i].mark = random_number();
	memset(slots[i].memory, slots[i].mark, size);
}

static void step(void)
{
	int i = random_number() % SLOTS;
	size_t size = random_size(), kept;
	unsigned int what = random_number() % 8;

	if (!slots[i].memory) {
		size_t alignment = 1u << random_number() % 14;

		if (what == 0) {
			slots[i].memory = aligned_alloc(alignment, size);
			CHECK_IS((uintptr_t)slots[i].memory % alignment, 0);
		} else if (what == 1) {
			slots[i].memory = calloc(size, 1);
			slots[i].size = size;
			slots[i].mark = 0;
			check_slot(i);
		} else {
			slots[i].memory = malloc(size);
		}
		fill_slot(i, size);
		return;
	}
	check_slot(i);
	if (what < 3) {
		kept = size < slots[i].size ? size : slots[i].size;
		slots[i].memory = realloc(slots[i].memory, size);
		CHECK(slots[i].memory);
		slots[i].size = kept;
		check_slot(i);
		fill_slot(i, size);
	} else {
		free(slots[i].memory);
		slots[i].memory = NULL;
	}
}

static void all_free(void)
{
	for (int i = 0; i < SLOTS; i++) {
		if (slots[i].memory)
			check_slot(i);
		free(slots[i].memory);
		slots[i].memory = NULL;
	}
}

static size_t pages(void)
{
#ifdef __wasm__
	return __builtin_wasm_memory_size(0);
#else
	return 0;
#endif
}

int main(void)
{
	volatile size_t huge = (size_t)1 << 31;
	void *memory;
	size_t before;

	for (int i = 0; i < 200000; i++)
		step();
	all_free();
	before = pages();
	// The same once more finds what was given back, but for what lies otherwise now.
	for (int round = 0; round < 5; round++) {
		for (int i = 0; i < 100000; i++)
			step();
		all_free();
	}
	CHECK(pages() <= before + before / 4);

	// All of it is one piece again.
	before = pages();
	if (before > 32) {
		memory = malloc((before - 16) * 65536);
		CHECK(memory);
		CHECK_IS(pages(), before);
		free(memory);
	}

	if (sizeof(size_t) == 4) {
		errno = 0;
		CHECK_NULL(malloc(huge), ENOMEM);
		CHECK_NULL(calloc(huge, 2), ENOMEM);
		CHECK_NULL(aligned_alloc(4096, huge - 1), ENOMEM);
		memory = malloc(10);
		CHECK_NULL(realloc(memory, huge), ENOMEM);
		free(memory);
	}
	memory = realloc(NULL, 5);
	CHECK(memory);
	free(memory);
	free(NULL);
	memory = malloc(0);
	CHECK(memory);
	free(memory);
	CHECK_IS(posix_memalign(&memory, 3, 5), EINVAL);
	CHECK_IS(posix_memalign(&memory, 256, 5), 0);
	CHECK_IS((uintptr_t)memory % 256, 0);
	free(memory);
	return 0;
}
